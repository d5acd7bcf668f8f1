import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { type IdleProbeOptions, probeIdleLeaders } from './idle_probe.ts';

/** Probes three leaders until the test ends. */
const start = (changes: Partial<IdleProbeOptions>) => {
  const ending = new AbortController();
  const probed: number[] = [];
  const down: (readonly [number, string])[] = [];
  const ended = probeIdleLeaders(
    {
      leaders: () => new Set([1, 2, 3]),
      lanes: { isBusy: () => false, takeDown: (leader, reason) => void down.push([leader, reason]) },
      health: { whyDown: () => undefined, lastSuccess: () => -Infinity },
      probe: (leader) => {
        probed.push(leader);
        return leader === 2 ? Promise.reject(new Error('no answer')) : Promise.resolve();
      },
      ...changes,
    },
    ending.signal,
  );
  const end = async (): Promise<void> => {
    ending.abort();
    await ended;
  };
  return { probed, down, end };
};

describe('the probe of idle leaders', () => {
  test('takes down the leader that does not answer twice, and no other', async () => {
    const { probed, down, end } = start({});
    await eventually(() => assert.deepEqual(down, [[2, 'no answer']]), 4_000);
    assert.deepEqual(probed, [1, 2, 3, 1, 2, 3].slice(0, probed.length));
    await end();
  });

  test('asks one leader at a time', async () => {
    const asked: number[] = [];
    const { end } = start({
      probe: (leader) => {
        asked.push(leader);
        return new Promise(() => {});
      },
    });
    await eventually(() => assert.deepEqual(asked, [1]), 2_000);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    assert.deepEqual(asked, [1]);
    void end();
  });

  test('leaves out a leader that is down, that has a batch, or that took events a moment ago', async () => {
    const { probed, down, end } = start({
      lanes: { isBusy: (leader) => leader === 1, takeDown: () => assert.fail('nobody is to be taken down') },
      health: {
        whyDown: (leader) => (leader === 2 ? 'known' : undefined),
        lastSuccess: () => performance.now() - 10,
      },
    });
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    assert.deepEqual([probed, down], [[], []]);
    await end();
  });
});
