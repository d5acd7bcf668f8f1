import { fork } from 'node:child_process';

/** What a script, run as a process of its own, sends when it is done with its orders. @throws where it ends without, or takes longer than `withinMs` */
export const reportOf = <T>(script: URL, orders: unknown, withinMs: number): Promise<T> =>
  new Promise((resolve, reject) => {
    const child = fork(script, [JSON.stringify(orders)], { stdio: 'inherit' });
    const limit = setTimeout(() => child.kill('SIGKILL'), withinMs);
    child.once('message', (report) => resolve(report as T));
    child.once('exit', () => {
      clearTimeout(limit);
      reject(new Error(`${script.pathname} ended without a report`));
    });
  });
