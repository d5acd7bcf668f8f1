import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Answer, CommandRequest } from '#cart_service/requests.ts';
import type { Transactions } from '#cart_service/publishing/batches/transactions.ts';
import { TURN_TOO_LATE } from '#cart_service/publishing/waiting/failures.ts';
import type { WaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import { type CartStore, type LoadedOrders } from '#cart_service/store/cart_store.ts';
import { createAskedStore, type Refused } from './asked_store.ts';

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

/** A request, and what its answer is. */
interface Asked extends Refused {
  readonly waiting: Refused['waiting'] & { answered: boolean; stored: boolean };
}

const asked = (
  orderId: string,
  { key = null, kind = 'update' }: { readonly key?: string | null; readonly kind?: 'create' | 'update' } = {},
): Asked => {
  const common = { orderId, fingerprint: `${kind} ${orderId}` };
  const draft = { orderId, numberOfItems: 1, items: null, customerId: null, currency: null };
  const command = kind === 'create' ? { kind, ...common, draft } : { kind, ...common, status: 'confirmed' as const };
  const each = { command, idempotencyKey: key, traceparent: '' };
  return {
    request: each,
    failure: TURN_TOO_LATE,
    waiting: { request: each, deadline: 0, stored: false, answered: false },
  };
};

interface Circumstances {
  readonly loaded?: Partial<LoadedOrders>;
  readonly isLevel?: boolean;
  /** A commit before the look-up is in doubt. */
  readonly isInDoubt?: boolean;
  readonly others?: readonly Asked[];
  readonly onLoad?: () => void;
  readonly onCommit?: () => void;
}

/** Asks about the requests. Returns what was answered, in order, and what was looked up and stored. */
const ask = async (refused: readonly Asked[], circumstances: Circumstances) => {
  const answers: string[] = [];
  const looked: string[][] = [];
  const commits: unknown[] = [];
  const store = createAskedStore({
    store: {
      load(...ids: string[][]) {
        looked.push(...ids);
        circumstances.onLoad?.();
        return Promise.resolve({ ...NOTHING, ...circumstances.loaded });
      },
    } as unknown as CartStore,
    room: {
      answer(waiting: Asked['waiting'], answer: Answer) {
        waiting.answered = true;
        const said = answer.kind === 'failed' ? answer.outcome : answer.kind;
        answers.push(`${waiting.request.command.orderId} ${answer.kind === 'refused' ? answer.refusal.code : said}`);
      },
      hasOtherAttempts: (waiting: unknown) => circumstances.others?.some((other) => other.waiting === waiting) === true,
    } as unknown as WaitingRoom,
    transactions: {
      isInDoubt: circumstances.isInDoubt === true,
      commitUnanswered: () => Promise.resolve(),
      commit(changes: unknown) {
        commits.push(changes);
        circumstances.onCommit?.();
        return Promise.resolve({ lost: new Set(), takenOver: new Set() });
      },
    } as unknown as Transactions,
    isUnsettled: () => false,
    isLevel: () => circumstances.isLevel ?? true,
    now: () => 5,
  });
  await store.answer(refused, ['k']);
  return { answers, looked, commits };
};

const SHIPPED = new Map([['ORD-1', { ...CONFIRMED, status: 'completed' } as const]]);

describe('several requests, asked about together', () => {
  it('need one look-up of each order and of their keys', async () => {
    const { looked } = await ask([asked('ORD-1'), asked('ORD-2'), asked('ORD-1')], {});
    assert.deepEqual(looked, [['ORD-1', 'ORD-2'], ['k']]);
  });

  it('did nothing if they would need an event', async () => {
    const create = asked('ORD-1', { kind: 'create' });
    assert.deepEqual((await ask([create], {})).answers, ['ORD-1 not_created']);
  });

  it('are unknown while a commit is in doubt', async () => {
    assert.deepEqual((await ask([asked('ORD-1')], { isInDoubt: true })).answers, ['ORD-1 unknown']);
  });

  it('are unknown if another attempt at the same request waits, and only those', async () => {
    const [first, second] = [asked('ORD-1'), asked('ORD-2')];
    const { answers } = await ask([first, second], { others: [first] });
    assert.deepEqual(answers, ['ORD-1 unknown', 'ORD-2 OrderNotFound']);
  });

  it('get no second answer if they had one, or an event, before the look-up or during it', async () => {
    const [answered, stored, during, open] = [asked('ORD-1'), asked('ORD-2'), asked('ORD-3'), asked('ORD-4')];
    answered.waiting.answered = true;
    stored.waiting.stored = true;
    const others = [answered, stored];
    const onLoad = (): void => void (during.waiting.answered = true);
    const { answers } = await ask([answered, stored, during, open], { others, onLoad });
    assert.deepEqual(answers, ['ORD-4 OrderNotFound']);
  });
});

describe('a request with an idempotency key, asked about', () => {
  it('has its refusal recorded before it is answered', async () => {
    const { answers, commits } = await ask([asked('ORD-1', { key: 'k' })], { loaded: { orders: SHIPPED } });
    assert.deepEqual(answers, ['ORD-1 StatusNotAllowed']);
    const detail = 'order ORD-1 is completed and cannot become confirmed; it can become: nothing, it is final';
    const refusal = { code: 'StatusNotAllowed', detail };
    assert.deepEqual(commits, [
      {
        idempotency: [{ key: 'k', fingerprint: 'update ORD-1', orderId: 'ORD-1', refusal, createdAt: 5 }],
        forgotten: [],
      },
    ]);
  });

  it('has its success recorded, also before the store is level with the log', async () => {
    const loaded = { orders: new Map([['ORD-1', CONFIRMED]]) };
    const { answers, commits } = await ask([asked('ORD-1', { key: 'k' })], { loaded, isLevel: false });
    assert.deepEqual(answers, ['ORD-1 done']);
    assert.deepEqual(commits, [
      {
        idempotency: [{ key: 'k', fingerprint: 'update ORD-1', orderId: 'ORD-1', refusal: null, createdAt: 5 }],
        forgotten: [],
      },
    ]);
  });

  it('has no 404 or 409 recorded or answered before the store is level with the log', async () => {
    const refused = [asked('ORD-1', { key: 'k' }), asked('ORD-2', { key: 'l' })];
    const { answers, commits } = await ask(refused, { loaded: { orders: SHIPPED }, isLevel: false });
    assert.deepEqual(answers, ['ORD-1 not_updated', 'ORD-2 not_updated']);
    assert.deepEqual(commits, [{ idempotency: [], forgotten: [] }]);
  });

  it('is told before the store is level with the log that its order exists', async () => {
    const create = asked('ORD-1', { key: 'k', kind: 'create' });
    const { answers } = await ask([create], { loaded: { orders: SHIPPED }, isLevel: false });
    assert.deepEqual(answers, ['ORD-1 OrderAlreadyExists']);
  });

  it('is unknown if another attempt comes while the record is stored, and gets no second answer', async () => {
    const [first, second] = [asked('ORD-1', { key: 'k' }), asked('ORD-1', { key: 'l' })];
    const others: Asked[] = [];
    const onCommit = (): void => {
      others.push(first);
      second.waiting.answered = true;
    };
    const { answers } = await ask([first, second], { loaded: { orders: SHIPPED }, others, onCommit });
    assert.deepEqual(answers, ['ORD-1 unknown']);
  });

  it('needs no commit if nothing is to be recorded', async () => {
    assert.deepEqual((await ask([asked('ORD-1')], { loaded: { orders: SHIPPED } })).commits, []);
  });
});
