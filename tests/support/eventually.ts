import { setTimeout } from 'node:timers/promises';

/** Thrown by a check that need not be repeated: what it saw must never be. */
export class Never extends Error {}

/** Checks again and again until the check passes, and returns its result. @throws the check's last error, once the time is over, or `Never` */
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
