/** For `cannotRun`: Windows ends a process where it is told to stop, to stand still, or to go on. */
export const withoutSignals = (): string | null =>
  process.platform === 'win32' ? 'Windows has no such signals' : null;
