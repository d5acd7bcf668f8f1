/** The times at which requests arrive, by `performance.now()`. */
export interface Arrivals {
  /** Resolves at the next arrival with its time; null: no more requests arrive. */
  next(): Promise<number | null> | number | null;
}

/** A request arrives whenever a connection is free. */
export const closedLoop = (seconds: number): Arrivals => {
  const end = performance.now() + seconds * 1_000;
  return {
    next() {
      const now = performance.now();
      return now < end ? now : null;
    },
  };
};

/** Requests arrive at a steady rate, whether or not a connection is free. The wait for one counts as latency. */
export const openLoop = (perSecond: number, seconds: number): Arrivals => {
  const started = performance.now();
  const count = perSecond * seconds;
  let taken = 0;
  const free: (() => void)[] = [];
  const arrivedBy = (now: number): number => Math.min(count, ((now - started) * perSecond) / 1_000);
  const clock = setInterval(() => {
    const due = Math.max(0, Math.ceil(arrivedBy(performance.now()) - taken));
    for (const wake of free.splice(0, taken >= count ? free.length : due)) wake();
    if (taken >= count) clearInterval(clock);
  }, 1);
  return {
    async next() {
      while (taken < count && taken >= arrivedBy(performance.now())) {
        await new Promise<void>((resolve) => free.push(resolve));
      }
      return taken < count ? started + (taken++ * 1_000) / perSecond : null;
    },
  };
};
