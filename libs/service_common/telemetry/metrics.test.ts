import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { createCounts, createMetrics } from './metrics.ts';

let registry: Registry;

beforeEach(() => {
  registry = new Registry();
});

describe('a histogram', () => {
  test('has the same text as a histogram of prom-client with the same values', async () => {
    const buckets = [0.1, 1, 10];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.nat(20), fc.constantFrom(...buckets, 0.5))), async (values) => {
        const [ours, theirs] = [new Registry(), new Registry()];
        const fast = createMetrics(ours).histogram('h', 'help', buckets, ['a']).series({ a: 'x' });
        const slow = new Histogram({ name: 'h', help: 'help', buckets, labelNames: ['a'], registers: [theirs] });
        slow.zero({ a: 'x' });
        for (const value of values) {
          fast.observe(value);
          slow.observe({ a: 'x' }, value);
        }
        assert.deepEqual(sorted(await ours.metrics()), sorted(await theirs.metrics()));
      }),
      { numRuns: 50 },
    );
  });

  test('has its series from the start, at zero', async () => {
    createMetrics(registry).histogram('h', 'help', [1]).series({});
    assert.match(await registry.metrics(), /^h_bucket\{le="1"\} 0\nh_bucket\{le="\+Inf"\} 0\nh_sum 0\nh_count 0$/m);
  });
});

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

const sorted = (text: string): string[] => lines(text).map(sortLabels).toSorted();

const sortLabels = (line: string): string =>
  line.replace(/\{(.*)\}/, (_, labels: string) => labels.split(',').toSorted().join(','));

describe('a gauge', () => {
  test('whose value cannot be read has no series, and the other gauges have theirs', async () => {
    const metrics = createMetrics(registry);
    let isBroken = false;
    metrics.gauge('broken', 'help', () => (isBroken ? Promise.reject(new Error('disk')) : 1));
    metrics.gauge('nothing', 'help', () => null);
    metrics.gauge('fine', 'help', () => 7);
    assert.deepEqual(samples(await registry.metrics()), ['broken 1', 'fine 7']);
    isBroken = true;
    assert.deepEqual(samples(await registry.metrics()), ['fine 7']);
  });
});

const samples = (text: string): string[] => lines(text).filter((line) => !line.startsWith('#'));

test('counts become a series for each set of labels', async () => {
  const counts = createCounts();
  createMetrics(registry).counter('c_total', 'help', () => counts, ['a']);
  counts.add('x', () => ({ a: 'x' }));
  counts.add('x', () => ({ a: 'x' }), 2);
  counts.add('y', () => ({ a: 'y' }));
  assert.deepEqual(samples(await registry.metrics()), ['c_total{a="x"} 3', 'c_total{a="y"} 1']);
});
