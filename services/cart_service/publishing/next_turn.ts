/**
 * How long work waits for the next turn of the event loop. Under a flood of connections that turn does not come for
 * seconds: libuv reads from up to 48 times 1,024 sockets before it does anything else.
 */
const LATE_MS = 10;

/**
 * Runs `work` once in the next turn of the event loop, however often it is asked for meanwhile. If the turn is more than
 * 10 ms late, the next call runs the work itself.
 * @returns asks for the work
 */
export const oncePerTurn = (work: () => void): (() => void) => {
  /** On the clock of `performance.now()`; null if nothing is asked for. */
  let askedAt: number | null = null;

  const run = (): void => {
    askedAt = null;
    work();
  };

  return () => {
    const now = performance.now();
    if (askedAt === null) {
      askedAt = now;
      setImmediate(run);
    } else if (now - askedAt > LATE_MS) run();
  };
};
