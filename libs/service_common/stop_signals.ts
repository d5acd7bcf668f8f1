/** How often to look whether npm still runs. */
const NPM_POLL_MS = 500;

/**
 * Calls `stop` once, when the process is first asked to end: by SIGINT or SIGTERM, by the parent that forked it going
 * away (which is also how it is asked on Windows, where there is no SIGTERM), or by npm being ended, which takes no
 * SIGTERM on to the program that it runs.
 */
export const onStopSignal = (stop: (reason: string) => void): void => {
  let asked = false;
  const ask = (reason: string): void => {
    if (asked) return;
    asked = true;
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
