import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { TimeoutReached, withinMs } from './within.ts';

const activeTimers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

const never = new Promise<never>(() => {});

describe('withinMs', () => {
  test('a promise that settles in time gives its own result or error', async () => {
    assert.equal(await withinMs(60_000, Promise.resolve('done')), 'done');
    await assert.rejects(withinMs(60_000, Promise.reject(new Error('its own'))), { message: 'its own' });
  });

  test('a promise that does not settle is rejected after the time, and not before', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let settled = false;
    const waiting = withinMs(1_000, never).finally(() => (settled = true));
    const given = assert.rejects(waiting, new TimeoutReached(1_000));
    t.mock.timers.tick(999);
    await Promise.resolve();
    assert.equal(settled, false);
    t.mock.timers.tick(1);
    await given;
  });

  test('a promise with no time left is rejected at once', async () => {
    await assert.rejects(withinMs(-5, never), { name: 'TimeoutReached', message: 'no answer within 0 ms' });
  });

  test('a promise that fails after its time causes no unhandled rejection', async (t) => {
    const unhandled = t.mock.fn();
    process.once('unhandledRejection', unhandled);
    t.after(() => process.off('unhandledRejection', unhandled));
    const { promise, reject } = Promise.withResolvers<never>();
    await assert.rejects(withinMs(0, promise), TimeoutReached);
    reject(new Error('late'));
    // Node reports unhandled rejections before the next macrotask.
    await new Promise(setImmediate);
    assert.equal(unhandled.mock.callCount(), 0);
  });

  test('no timer is left that keeps the process alive', async () => {
    const before = activeTimers();
    await withinMs(60_000, Promise.resolve());
    assert.equal(activeTimers(), before);
  });
});
