/** How often to check whether npm still runs. */
const NPM_POLL_MS = 500;

/**
 * Calls `stop` once, when the process is first asked to end:
 * - by SIGINT or SIGTERM,
 * - when the parent that forked it goes away, or closes the channel (Windows has no SIGTERM),
 * - when npm ends, because npm does not pass SIGTERM on to the program that it runs.
 */
export const onStopSignal = (stop: (reason: string) => void): void => {
  let isAsked = false;
  const ask = (reason: string): void => {
    if (isAsked) return;
    isAsked = true;
    stop(reason);
  };
  process.on('SIGINT', () => ask('SIGINT'));
  process.on('SIGTERM', () => ask('SIGTERM'));
  process.on('disconnect', () => ask('parent process ended'));
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) ask('npm ended');
  }, NPM_POLL_MS);
  timer.unref();
};
