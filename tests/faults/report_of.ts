import { fork } from 'node:child_process';

/**
 * Runs a script in its own process, and returns the report that it sends.
 * @param job given to the script as its first argument
 * @throws Error if the script ends without a report, or takes longer than `withinMs`
 */
export const reportOf = <T>(script: URL, job: unknown, withinMs: number): Promise<T> =>
  new Promise((resolve, reject) => {
    const child = fork(script, [JSON.stringify(job)], { stdio: 'inherit' });
    const limit = setTimeout(() => child.kill('SIGKILL'), withinMs);
    child.once('message', (report) => resolve(report as T));
    child.once('exit', () => {
      clearTimeout(limit);
      reject(new Error(`${script.pathname} ended without a report`));
    });
  });
