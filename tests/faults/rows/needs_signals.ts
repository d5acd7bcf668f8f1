/** For `cannotRun`: on Windows, SIGTERM, SIGSTOP and SIGCONT would all end a process. */
export const withoutSignals = (): string | null =>
  process.platform === 'win32' ? 'Windows does not have the signals SIGTERM, SIGSTOP and SIGCONT' : null;
