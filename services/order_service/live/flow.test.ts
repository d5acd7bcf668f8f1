import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { BrokerError } from '#kafka_common/broker.ts';
import type { RunnerStatus } from '#order_service/consuming/runner_status.ts';
import { createFlow, type FlowOptions } from './flow.ts';
import { createFlowSamples } from './flow_samples.ts';
import { createRunnerPlace, GROUP, TOPIC } from '#tests/support/runner_place.ts';
import { anAppliedBatch, applyNext, aStep } from '#tests/support/events.ts';
import { CONSUMING } from '#tests/support/order_app.ts';

const NOW = 1_768_737_600_000;
const HELD_UP_SINCE = '2026-01-18T12:00:00.000Z';

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
    status: () => ({ ...CONSUMING, assigned: [0, 1], positions: { 0: 10, 1: 5 }, heldUp: { 0: HELD_UP_SINCE } }),
    samples: createFlowSamples({ now: () => NOW }),
    warnings: () => ['a warning'],
    topic: TOPIC,
    group: GROUP,
    ...changes,
  });

describe('the flow', () => {
  test('shows the end, the position and the lag of each partition', async () => {
    const { partitions, brokerReason, warnings } = await flowOf().state('all');
    assert.deepEqual(warnings, ['a warning']);
    assert.equal(brokerReason, null);
    assert.deepEqual(partitions, [
      { partition: 0, end: 12, position: 10, lag: 2, heldUpSince: HELD_UP_SINCE },
      // The view went on after the end was read.
      { partition: 1, end: 3, position: 5, lag: 0, heldUpSince: null },
    ]);
  });

  test('shows the positions of partitions that other members of the group own', async () => {
    await applyNext(place.db, anAppliedBatch({ positions: [aStep({ partition: 1, next: 2 })] }));
    const { partitions } = await flowOf({ status: () => ({ ...CONSUMING, positions: { 0: 10 } }) }).state('all');
    assert.deepEqual(
      partitions.map(({ position, lag }) => [position, lag]),
      [
        [10, 2],
        [2, 1],
      ],
    );
  });

  for (const [what, bounds, reason] of [
    ['cannot be reached', () => Promise.reject(new BrokerError('UNAVAILABLE', 'gone')), /^gone$/],
    ['does not answer', () => new Promise<never>(() => {}), /no answer within/],
  ] as const) {
    test(`shows the reason if the broker ${what}, and still the positions`, async () => {
      const { partitions, brokerReason } = await flowOf({ broker: { bounds } }).state('last');
      assert.match(brokerReason ?? '', reason);
      assert.deepEqual(partitions, [
        { partition: 0, end: null, position: 10, lag: null, heldUpSince: HELD_UP_SINCE },
        { partition: 1, end: null, position: 5, lag: null, heldUpSince: null },
      ]);
    });
  }

  test('gives all samples, or only the last', async () => {
    const samples = createFlowSamples({ now: () => NOW });
    samples.tick();
    samples.tick();
    const flow = flowOf({ samples });
    assert.equal((await flow.state('all')).samples.length, 2);
    assert.equal((await flow.state('last')).samples.length, 1);
  });

  test('of a runner that does not consume says why', async () => {
    const waiting: RunnerStatus = { ...CONSUMING, state: 'waiting_for_topic', reason: 'no topic' };
    assert.equal((await flowOf({ status: () => waiting }).state('last')).reason, 'no topic');
    assert.equal((await flowOf().state('last')).reason, null);
  });
});
