import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HistoryEvent } from '#order_service/consumer_db.ts';
import { createFlowSamples } from './flow_samples.ts';

const NOW = 1_768_737_600_000;

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

describe('the samples of the flow', () => {
  test('have what was applied in each second, with the time until it could be read', () => {
    const samples = createFlowSamples({ now: () => NOW });
    const history = Array.from({ length: 100 }, (_, n) => event('applied', n < 90 ? 10 : 500));
    samples.observe({ history: [...history, event('duplicate', 9_999)] });
    samples.tick();
    samples.tick();
    const [first, second] = samples.all;
    assert.deepEqual([first?.applied, first?.duplicates], [100, 1]);
    assert.ok(Math.abs((first?.p50Ms ?? 0) - 10) <= 1 && Math.abs((first?.p99Ms ?? 0) - 500) <= 10);
    assert.deepEqual([second?.applied, second?.p50Ms, second?.p99Ms], [0, null, null]);
  });

  test('count an event from the future as read at once, and one from long ago with the highest latency', () => {
    const samples = createFlowSamples({ now: () => NOW });
    samples.observe({ history: [event('applied', -60_000), event('waiting', 1e12)] });
    samples.tick();
    const [sample] = samples.all;
    assert.equal(sample?.applied, 2);
    assert.ok((sample?.p50Ms ?? 0) <= 1);
  });

  test('are of the last five minutes', () => {
    const samples = createFlowSamples({ now: () => NOW });
    for (let n = 0; n < 400; n++) samples.tick();
    assert.equal(samples.all.length, 300);
  });
});
