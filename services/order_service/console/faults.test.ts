import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { diagnose, growth, isLagGrowing, troubles } from './faults.js';

type Seen = Parameters<typeof diagnose>[0];

const WELL: Seen = {
  link: { kind: 'open', detail: null },
  cart: {
    kind: 'answers',
    ready: true,
    state: 'open',
    reason: null,
    waiting: 0,
    unsettled: 0,
    storeFailure: null,
    lastAcknowledgedAt: null,
  },
  flow: {
    topic: 'orders.events',
    group: 'order-service',
    state: 'consuming',
    reason: null,
    storeFailure: null,
    brokerReason: null,
    warnings: [],
    partitions: [],
    counts: { orders: 0, pending: 0, deadLetters: 0 },
    samples: [],
  },
  totals: [],
};

const flowWith = (changes: Partial<NonNullable<Seen['flow']>>): Partial<Seen> => ({
  flow: { ...WELL.flow!, ...changes },
});

const impaired = { ...WELL.cart, ready: false, state: 'impaired', reason: 'leader 1 is down' } as Seen['cart'];

/** Totals of so many events behind, a second apart. */
const lagging = (...lags: (number | null)[]): Seen['totals'] =>
  lags.map((lag, i) => ({ at: i * 1_000, end: i * 50, lag }));

describe('a fault shows at its own place:', () => {
  const CASES: readonly (readonly [string, Partial<Seen>, string[]])[] = [
    ['there is no fault', {}, []],
    [
      'the Cart Service is not reachable',
      { cart: { kind: 'silent', url: 'http://localhost:8000', detail: 'no connection' } },
      ['Cart Service: Not reachable (http://localhost:8000: no connection)'],
    ],
    [
      'the Cart Service does not publish',
      { cart: impaired },
      ['Cart Service to topic: Cannot publish (leader 1 is down)', 'Cart Service: Not ready (leader 1 is down)'],
    ],
    [
      'the store of the Cart Service fails',
      { cart: { ...WELL.cart, storeFailure: 'disk is full' } as Seen['cart'] },
      ['Cart Service: Store fails (disk is full)'],
    ],
    [
      'the broker is not reachable',
      flowWith({ brokerReason: 'connection refused' }),
      ['Topic: Broker not reachable (connection refused)'],
    ],
    [
      'something endangers the topic or holds it up',
      flowWith({ warnings: ['topic t has retention.ms=1'] }),
      ['Topic: Look at the topic (topic t has retention.ms=1)'],
    ],
    [
      'the consumer reconnects',
      flowWith({ state: 'reconnecting', reason: 'attempt 2' }),
      ['Topic to view: Consumer reconnecting (attempt 2)', 'View: Not up to date (null)'],
    ],
    ['the store fails', flowWith({ storeFailure: 'disk is full' }), ['View: Store fails (disk is full)']],
    [
      'the lag grows',
      { totals: lagging(100, 200, 300, 400, 500, 600) },
      ['Topic to view: Lag is growing (600 events behind, and the number grows each second)'],
    ],
    [
      'the Order Service is down',
      { link: { kind: 'lost', detail: 'cannot be reached' } },
      ['View: Order Service does not answer (cannot be reached)'],
    ],
  ];
  for (const [circumstance, changes, expected] of CASES) {
    test(circumstance, () => {
      const found = troubles(diagnose({ ...WELL, ...changes }));
      assert.deepEqual(
        found.map(({ place, condition }) => `${place}: ${condition.text} (${condition.detail})`),
        expected,
      );
    });
  }
});

test('a lag does not grow if it is small, shrinks, or is not known for long enough', () => {
  for (const lags of [
    [1, 2, 3, 4, 5, 6],
    [900, 800, 700, 600, 500, 400],
    [100, 200, 300],
    [100, 200, null, 400, 500, 600],
  ]) {
    assert.equal(isLagGrowing(lagging(...lags)), false, String(lags));
  }
});

test('the growth of the topic is that of the last seconds, and never negative', () => {
  assert.equal(growth(lagging(0, 0, 0)), 50);
  assert.equal(growth([]), null);
  assert.equal(
    growth([
      { at: 0, end: 9, lag: 0 },
      { at: 1_000, end: 0, lag: 0 },
    ]),
    0,
  );
});
