import { setTimeout } from 'node:timers/promises';

/** Thrown by a check that must not be repeated, because it saw what must never happen. */
export class Never extends Error {}

/**
 * Repeats the check until it passes, and returns its result.
 * @throws its last error after `withinMs`, or `Never` at once
 */
export const eventually = async <T>(check: () => T | Promise<T>, withinMs = 30_000): Promise<T> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (error instanceof Never || performance.now() > deadline) throw error;
    }
    await setTimeout(10);
  }
};
