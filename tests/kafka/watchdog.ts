import { spawn } from 'node:child_process';
import { join } from 'node:path';

interface Watchdog {
  /** Watches for the process with this id; 0 when that process has ended. */
  watch(pid: number): void;
  end(): void;
}

/**
 * Starts a process that cleans up if this process ends without doing so, even on `kill -9`: it kills the watched
 * process and removes the container or temporary folder. It runs in its own session, so Ctrl+C in the terminal does not
 * end it.
 */
export function startWatchdog(leftovers: { container?: string; folder?: string }): Watchdog {
  const options = Object.entries(leftovers).map(([name, value]) => `--${name}=${value}`);
  const watchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog_process.ts'), ...options], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    windowsHide: true,
  });
  watchdog.unref();
  // If somebody ends the watchdog, only its protection is lost.
  watchdog.stdin.on('error', () => {});
  return {
    watch: (pid) => void watchdog.stdin.write(`${pid}\n`),
    end: () => void watchdog.kill('SIGKILL'),
  };
}
