/** A promise that did not settle in time. */
export class TimeoutReached extends Error {
  constructor(ms: number) {
    super(`no answer within ${Math.max(0, Math.round(ms))} ms`);
    this.name = 'TimeoutReached';
  }
}

/**
 * The promise's own result or error, if it settles within `ms` milliseconds. Later, both are ignored.
 * @throws TimeoutReached
 */
export const withinMs = async <T>(ms: number, promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TimeoutReached(ms)), Math.max(0, ms));
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
};
