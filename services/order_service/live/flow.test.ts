import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { BrokerError } from '#kafka_common/broker.ts';
import type { HistoryEvent } from '#order_service/consumer_db.ts';
import { createFlow, type FlowOptions } from './flow.ts';
import { createRunnerPlace, GROUP, TOPIC } from '#tests/support/runner_place.ts';
import { CONSUMING } from '#tests/support/order_app.ts';

const NOW = 1_768_737_600_000;

let place: Awaited<ReturnType<typeof createRunnerPlace>>;
beforeEach(async () => (place = await createRunnerPlace()));
afterEach(() => place.remove());

const flowOf = (changes: Partial<FlowOptions> = {}) =>
  createFlow({
    db: place.db,
    broker: {
      bounds: async () =>
        new Map([
          [0, { start: 0, end: 12 }],
          [1, { start: 0, end: 3 }],
        ]),
    },
    status: () => ({ ...CONSUMING, assigned: [0, 1], positions: { 0: 10, 1: 5 } }),
    reasonFor: () => null,
    topic: TOPIC,
    group: GROUP,
    now: () => NOW,
    ...changes,
  });

const event = (outcome: HistoryEvent['outcome'], ageMs: number): HistoryEvent => ({
  orderId: 'ORD-1',
  type: 'ORDER_CREATED',
  version: 1,
  status: 'new',
  timestamp: NOW - ageMs,
  partition: 0,
  offset: 0,
  outcome,
});

describe('the flow', () => {
  test('tells of each partition its end, the position and what is between', async () => {
    const { partitions, brokerReason } = await flowOf().state('all');
    assert.equal(brokerReason, null);
    assert.deepEqual(partitions, [
      { partition: 0, end: 12, position: 10, lag: 2 },
      // The view went on since the end was asked for.
      { partition: 1, end: 3, position: 5, lag: 0 },
    ]);
  });

  for (const [what, bounds, reason] of [
    ['cannot be reached', () => Promise.reject(new BrokerError('UNAVAILABLE', 'gone')), /^gone$/],
    ['says nothing', () => new Promise<never>(() => {}), /no answer within/],
  ] as const) {
    test(`of a broker that ${what} says so, and has positions still`, async () => {
      const { partitions, brokerReason } = await flowOf({ broker: { bounds } }).state('last');
      assert.match(brokerReason ?? '', reason);
      assert.deepEqual(partitions, [
        { partition: 0, end: null, position: 10, lag: null },
        { partition: 1, end: null, position: 5, lag: null },
      ]);
    });
  }

  test('counts each second what was applied, with the time until it could be read', async () => {
    const flow = flowOf();
    const history = Array.from({ length: 100 }, (_, n) => event('applied', n < 90 ? 10 : 500));
    flow.applied({ history: [...history, event('duplicate', 9_999)] });
    flow.tick();
    flow.tick();
    const { samples } = await flow.state('all');
    const [first, second] = samples;
    assert.deepEqual([first?.applied, first?.duplicates], [100, 1]);
    assert.ok(Math.abs((first?.p50Ms ?? 0) - 10) <= 1 && Math.abs((first?.p99Ms ?? 0) - 500) <= 10);
    assert.deepEqual([second?.applied, second?.p50Ms, second?.p99Ms], [0, null, null]);
    assert.equal((await flow.state('last')).samples.length, 1);
  });

  test('takes an event from the future, or from long ago, for one at the edge', async () => {
    const flow = flowOf();
    flow.applied({ history: [event('applied', -60_000), event('waiting', 1e12)] });
    flow.tick();
    const [sample] = (await flow.state('all')).samples;
    assert.equal(sample?.applied, 2);
    assert.ok((sample?.p50Ms ?? 0) <= 1);
  });

  test('keeps five minutes', async () => {
    const flow = flowOf();
    for (let n = 0; n < 400; n++) flow.tick();
    assert.equal((await flow.state('all')).samples.length, 300);
  });
});
