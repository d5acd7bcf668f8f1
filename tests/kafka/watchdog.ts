import { spawn } from 'node:child_process';
import { join } from 'node:path';

interface Watchdog {
  /** Tells it the id of the broker's process, or 0 when that has ended. */
  watch(pid: number): void;
  end(): void;
}

/**
 * Ends a broker, and removes its container or temporary folder, when this process ends without having done so: also on
 * `kill -9`, which leaves no other chance. In a session of its own, so that Ctrl+C in the terminal leaves it to its work.
 */
export function startWatchdog(leftovers: { container?: string; folder?: string }): Watchdog {
  const options = Object.entries(leftovers).map(([name, value]) => `--${name}=${value}`);
  const watchdog = spawn(process.execPath, [join(import.meta.dirname, 'watchdog_process.ts'), ...options], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
    windowsHide: true,
  });
  watchdog.unref();
  // Should somebody end the watchdog, only its protection is lost.
  watchdog.stdin.on('error', () => {});
  return {
    watch: (pid) => void watchdog.stdin.write(`${pid}\n`),
    end: () => void watchdog.kill('SIGKILL'),
  };
}
