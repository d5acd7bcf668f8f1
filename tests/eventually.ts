import { setTimeout } from 'node:timers/promises';

/** Checks again and again until the check passes, and returns its result. @throws the check's last error, once the time is over */
export const eventually = async <T>(check: () => T | Promise<T>, withinMs = 10_000): Promise<T> => {
  const deadline = performance.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    await setTimeout(10);
  }
};
