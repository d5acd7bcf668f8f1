/** How often to look whether npm still runs. */
const NPM_POLL_MS = 500;

/**
 * Calls `stop` when the process is asked to end: by SIGINT or SIGTERM, by the parent that forked it going away (which is
 * also how it is asked on Windows, where there is no SIGTERM), or by npm being ended, which takes no SIGTERM on to the
 * program that it runs.
 */
export const onStopSignal = (stop: (reason: string) => void): void => {
  process.on('SIGINT', () => stop('SIGINT'));
  process.on('SIGTERM', () => stop('SIGTERM'));
  process.on('disconnect', () => stop('parent process ended'));
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) stop('npm ended');
  }, NPM_POLL_MS);
  timer.unref();
};
