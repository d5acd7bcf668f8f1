import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { Command, OrderState, Refusal } from '#cart_service/order_commands.ts';
import { DONE, type CommandRequest } from '#cart_service/requests.ts';
import type { IdempotencyRecord, LoadedOrders } from '#cart_service/store/cart_store.ts';
import { planBatch, planWithoutEvents } from './plan_batch.ts';

const NOW = Date.parse('2026-01-18T12:00:00.000Z');

interface Entry {
  readonly request: CommandRequest;
}

const asked = (command: Command, idempotencyKey: string | null = null): Entry => ({
  request: { command, idempotencyKey, traceparent: `trace of ${command.orderId}` },
});

const create = (orderId: string): Command => ({
  kind: 'create',
  orderId,
  draft: { orderId, numberOfItems: 1, items: null, customerId: null, currency: null },
  fingerprint: `create ${orderId}`,
});

const confirm = (orderId: string): Command => ({
  kind: 'update',
  orderId,
  status: 'confirmed',
  fingerprint: `confirm ${orderId}`,
});

const order = (orderId: string, status: OrderState['status'] = 'new'): OrderState => ({ orderId, version: 1, status });

const record = (key: string, command: Command, refusal: Refusal | null = null): IdempotencyRecord => ({
  key,
  fingerprint: command.fingerprint,
  orderId: command.orderId,
  refusal,
  createdAt: NOW,
});

const known = (orders: readonly OrderState[] = [], records: readonly IdempotencyRecord[] = []): LoadedOrders => ({
  orders: new Map(orders.map((each) => [each.orderId, each])),
  logged: new Map(),
  unanswered: new Map(),
  openElsewhere: new Set(),
  idempotency: new Map(records.map((each) => [each.key, each])),
});

const plan = (batch: readonly Entry[], loaded: LoadedOrders = known(), firstSeq = 1) => {
  let ids = 0;
  return planBatch(batch, loaded, firstSeq, { now: NOW, newId: () => `event-${++ids}`, random: () => 0 });
};

const NOTHING = { answers: [], answersAfterCommit: [], events: [], idempotency: [], forgotten: [], faults: [] };

const NOT_FOUND: Refusal = { code: 'OrderNotFound', detail: 'there is no order ORD-1; create it first' };

describe('a planned batch', () => {
  test('of no requests does nothing', () => {
    assert.deepEqual(plan([]), NOTHING);
  });

  test('numbers its events from the first on, in the order of their requests', () => {
    const batch = [asked(create('ORD-1')), asked(create('ORD-2')), asked(confirm('ORD-3')), asked(create('ORD-4'))];
    const { events } = plan(batch, known([order('ORD-2'), order('ORD-3')]), 41);
    assert.deepEqual(
      events.map(({ entry, row }) => [entry, row.seq, row.eventId, row.orderId]),
      [
        [batch[0], 41, 'event-1', 'ORD-1'],
        [batch[2], 42, 'event-2', 'ORD-3'],
        [batch[3], 43, 'event-3', 'ORD-4'],
      ],
    );
  });

  test('has for each event its message and the state to go back to', () => {
    const { events } = plan([asked(create('ORD-1')), asked(confirm('ORD-2'))], known([order('ORD-2')]));
    assert.deepEqual(
      events.map(({ state, previous, row }) => ({ state, previous, fingerprint: row.fingerprint })),
      [
        { state: order('ORD-1'), previous: null, fingerprint: 'create ORD-1' },
        {
          state: { orderId: 'ORD-2', version: 2, status: 'confirmed' },
          previous: order('ORD-2'),
          fingerprint: 'confirm ORD-2',
        },
      ],
    );
    for (const { row, state } of events) {
      const { key, value, headers } = row.message;
      const decoded = decodeEvent({ key: Buffer.from(key), value: Buffer.from(value) });
      assert.ok(decoded.kind === 'event' && decoded.keyMatches);
      const { eventId, orderId, version } = decoded.event;
      assert.deepEqual([eventId, orderId, version], [row.eventId, state.orderId, state.version]);
      assert.equal(headers['traceparent'], `trace of ${orderId}`);
    }
  });

  test('answers at once if nothing has to be stored', () => {
    const batch = [asked(confirm('ORD-1')), asked(confirm('ORD-2'))];
    const { answers, ...rest } = plan(batch, known([order('ORD-2', 'confirmed')]));
    const { answers: _none, ...nothing } = NOTHING;
    assert.deepEqual(answers, [
      { entry: batch[0], answer: { kind: 'refused', refusal: NOT_FOUND } },
      { entry: batch[1], answer: DONE },
    ]);
    assert.deepEqual(rest, nothing);
  });

  test('answers a success to a create whose client never got one', () => {
    const loaded = { ...known([order('ORD-1')]), unanswered: new Map([['ORD-1', ['create ORD-1']]]) };
    const { answers, events } = plan([asked(create('ORD-1'))], loaded);
    assert.deepEqual([answers.map(({ answer }) => answer), events], [[DONE], []]);
  });
});

describe('an update whose client never got a success', () => {
  const done = { ...known([order('ORD-1', 'shipped')]), unanswered: new Map([['ORD-1', ['confirm ORD-1']]]) };

  test('is a success once it is repeated, whatever came in between, and is then forgotten', () => {
    const batch = [asked(confirm('ORD-1'))];
    assert.deepEqual(plan(batch, done), {
      ...NOTHING,
      answersAfterCommit: [{ entry: batch[0], answer: DONE }],
      forgotten: [{ orderId: 'ORD-1', fingerprint: 'confirm ORD-1' }],
    });
  });

  test('is not repeated by a request under a key, which is another request', () => {
    const { events, forgotten } = plan([asked(confirm('ORD-1'), 'a')], done);
    assert.deepEqual(
      events.map(({ row }) => [row.fingerprint, row.idempotencyKey]),
      [[null, 'a']],
    );
    assert.deepEqual(forgotten, []);
  });
});

describe('a request that cannot be decided', () => {
  test('does not keep the others of its batch from their answers', () => {
    const broken = { ...create('ORD-1'), draft: null } as unknown as Command;
    const batch = [asked(broken), asked(create('ORD-2'))];
    const { faults, events } = plan(batch);
    assert.deepEqual([faults.map(({ entry }) => entry), events.map(({ entry }) => entry)], [[batch[0]], [batch[1]]]);
  });
});

describe('an idempotency key', () => {
  test('that is new is recorded with the answer, which is given once it is stored', () => {
    const batch = [asked(confirm('ORD-1'), 'a'), asked(confirm('ORD-2'), 'b')];
    assert.deepEqual(plan(batch, known([order('ORD-2', 'confirmed')])), {
      answers: [],
      answersAfterCommit: [
        { entry: batch[0], answer: { kind: 'refused', refusal: NOT_FOUND } },
        { entry: batch[1], answer: DONE },
      ],
      events: [],
      idempotency: [record('a', confirm('ORD-1'), NOT_FOUND), record('b', confirm('ORD-2'))],
      forgotten: [],
      faults: [],
    });
  });

  test('that is new is recorded as a success with its event, and answered once that is published', () => {
    const { answers, answersAfterCommit, events, idempotency } = plan([asked(create('ORD-1'), 'a')]);
    assert.deepEqual([answers, answersAfterCommit, events.length], [[], [], 1]);
    assert.deepEqual(idempotency, [record('a', create('ORD-1'))]);
  });

  const AGAIN: readonly (readonly [string, IdempotencyRecord, ReturnType<typeof plan>['answers'][number]['answer']])[] =
    [
      ['with the same request and a success gives the success again', record('a', create('ORD-1')), DONE],
      [
        'with the same request and a refusal gives the refusal again',
        record('a', create('ORD-1'), NOT_FOUND),
        { kind: 'refused', refusal: NOT_FOUND },
      ],
      [
        'with another request is refused, naming the order of the first',
        record('a', create('ORD-7')),
        {
          kind: 'refused',
          refusal: {
            code: 'IdempotencyKeyReused',
            detail: 'this Idempotency-Key came before with another request, about order ORD-7',
          },
        },
      ],
    ];
  for (const [what, earlier, answer] of AGAIN) {
    test(`that came before ${what}, and decides nothing again`, () => {
      const batch = [asked(create('ORD-1'), 'a')];
      assert.deepEqual(plan(batch, known([], [earlier])), {
        answers: [{ entry: batch[0], answer }],
        answersAfterCommit: [],
        events: [],
        idempotency: [],
        forgotten: [],
        faults: [],
      });
    });
  }
});

describe('a batch that can get no event', () => {
  test('answers what the store knows, and returns the requests that would need an event', () => {
    const batch = [
      asked(create('ORD-1')),
      asked(confirm('ORD-2')),
      asked(confirm('ORD-3')),
      asked(confirm('ORD-4'), 'a'),
      asked(create('ORD-5'), 'b'),
    ];
    const loaded = known([order('ORD-2', 'confirmed'), order('ORD-3')], [record('b', create('ORD-5'))]);
    const notFound = { ...NOT_FOUND, detail: 'there is no order ORD-4; create it first' };
    assert.deepEqual(planWithoutEvents(batch, loaded, NOW), {
      plan: {
        ...NOTHING,
        answers: [
          { entry: batch[1], answer: DONE },
          { entry: batch[4], answer: DONE },
        ],
        answersAfterCommit: [{ entry: batch[3], answer: { kind: 'refused', refusal: notFound } }],
        idempotency: [record('a', confirm('ORD-4'), notFound)],
      },
      undone: [batch[0], batch[2]],
    });
  });

  test('has the success of a request whose client never got one', () => {
    const unanswered = new Map([['ORD-1', ['create ORD-1', 'confirm ORD-1']]]);
    const loaded = { ...known([order('ORD-1', 'shipped')]), unanswered };
    const batch = [asked(confirm('ORD-1'))];
    assert.deepEqual(planWithoutEvents(batch, loaded, NOW).plan, {
      ...NOTHING,
      answersAfterCommit: [{ entry: batch[0], answer: DONE }],
      forgotten: [{ orderId: 'ORD-1', fingerprint: 'confirm ORD-1' }],
    });
  });
});

describe('a create under another key than before', () => {
  const unanswered = new Map([['ORD-1', ['create ORD-1']]]);

  test('is the same request, and a success that is recorded for the key', () => {
    const batch = [asked(create('ORD-1'), 'b')];
    assert.deepEqual(plan(batch, { ...known([order('ORD-1')]), unanswered }), {
      ...NOTHING,
      answersAfterCommit: [{ entry: batch[0], answer: DONE }],
      idempotency: [record('b', create('ORD-1'))],
    });
  });

  test('has its fingerprint in the outbox', () => {
    const { events } = plan([asked(create('ORD-1'), 'b')]);
    assert.deepEqual(
      events.map(({ row }) => [row.fingerprint, row.idempotencyKey]),
      [['create ORD-1', 'b']],
    );
  });
});
