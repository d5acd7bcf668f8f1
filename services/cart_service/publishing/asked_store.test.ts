import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Answer, CommandRequest } from '#cart_service/requests.ts';
import type { Transactions } from '#cart_service/publishing/batches/transactions.ts';
import { TURN_TOO_LATE } from '#cart_service/publishing/waiting/failures.ts';
import type { WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import { type CartStore, type LoadedOrders } from '#cart_service/store/cart_store.ts';
import { createAskedStore } from './asked_store.ts';

const NOTHING: LoadedOrders = {
  orders: new Map(),
  logged: new Map(),
  unanswered: new Map(),
  idempotency: new Map(),
  openElsewhere: new Set(),
};
const CONFIRMED = { orderId: 'ORD-1', version: 2, status: 'confirmed' } as const;
const request: CommandRequest = {
  command: { kind: 'update', orderId: 'ORD-1', status: 'confirmed', fingerprint: 'f' },
  idempotencyKey: null,
  traceparent: '',
};

/** Asks about one update, and changes what is known while the store looks it up. */
const askDuring = async (
  loaded: LoadedOrders,
  start: { readonly unsettled: boolean; readonly level: boolean },
  end: { readonly unsettled: boolean; readonly level: boolean },
): Promise<Answer | undefined> => {
  let known = start;
  let given: Answer | undefined;
  const asked = createAskedStore({
    store: {
      load: () => {
        known = end;
        return Promise.resolve(loaded);
      },
    } as unknown as CartStore,
    room: {
      answer: (_waiting: unknown, answer: Answer) => (given ??= answer),
      hasOtherAttempts: () => false,
    } as unknown as WaitingRoom,
    transactions: { isInDoubt: false, commitUnanswered: () => Promise.resolve() } as unknown as Transactions,
    isUnsettled: () => known.unsettled,
    isLevel: () => known.level,
    now: () => 0,
  });
  const waiting = {
    request,
    deadline: 0,
    stored: false,
    get answered() {
      return given !== undefined;
    },
  };
  await asked.answer([{ request, waiting, failure: TURN_TOO_LATE }], []);
  return given;
};

const SETTLED = { unsettled: false, level: true };
const OPEN = { unsettled: true, level: true };

describe('the store, asked about a request that can get no event', () => {
  it('says that an update is done, if the store has it and nothing is open', async () => {
    const loaded = { ...NOTHING, orders: new Map([['ORD-1', CONFIRMED]]) };
    assert.equal((await askDuring(loaded, SETTLED, SETTLED))?.kind, 'done');
  });

  for (const [when, start, end] of [
    ['before the look-up, and is dropped during it', OPEN, SETTLED],
    ['only after the look-up', SETTLED, OPEN],
  ] as const) {
    it(`says that nobody knows, if an event of the order is open ${when}`, async () => {
      const loaded = { ...NOTHING, orders: new Map([['ORD-1', CONFIRMED]]) };
      const answer = await askDuring(loaded, start, end);
      assert.equal(answer?.kind === 'failed' ? answer.outcome : answer?.kind, 'unknown');
    });
  }

  it('gives no 404 by what the store had before it was level with the log', async () => {
    const answer = await askDuring(NOTHING, { unsettled: false, level: false }, SETTLED);
    assert.equal(answer?.kind === 'failed' ? answer.outcome : answer?.kind, 'not_updated');
  });

  it('gives a 404 if the store is level with the log', async () => {
    assert.equal((await askDuring(NOTHING, SETTLED, SETTLED))?.kind, 'refused');
  });
});
