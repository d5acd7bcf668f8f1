import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS, PROCESS_ENV } from '../libs/service_common/process_settings.ts';
import { inTempDir } from './bench.ts';

export interface ConsumeJob {
  /** See `consume_process.ts`, and for the last `peers/commit_per_event.js`. */
  readonly how: 'apply' | 'parse' | 'commit each';
  readonly bootstrapServers: string;
  readonly topic: string;
  /** Of the topic, those to consume. */
  readonly events: number;
  /** For the store. */
  readonly directory: string;
}

export interface ConsumeReport {
  readonly perSecond: number;
  /** CPU time in microseconds an event. */
  readonly cpuUs: number;
  /** In the store afterwards. */
  readonly orders: number;
}

/** With a store of its own. @throws where the consumer fails, or an order is missing afterwards */
export const consume = (job: Omit<ConsumeJob, 'directory'>): Promise<ConsumeReport> =>
  inTempDir((directory) => consumeInto({ ...job, directory }));

/** With a store that may have orders already. @throws where the consumer fails, or an order is missing afterwards */
export const consumeInto = async (job: ConsumeJob): Promise<ConsumeReport> => {
  const child = fork(
    fileURLToPath(
      new URL(job.how === 'commit each' ? 'peers/commit_per_event.js' : 'consume_process.ts', import.meta.url),
    ),
    [JSON.stringify(job)],
    {
      execArgv: [...NODE_FLAGS],
      env: { ...PROCESS_ENV, ...process.env },
    },
  );
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the consumer that has to ${job.how} ended with ${code}`);
  });
  const [report] = (await Promise.race([once(child, 'message'), ended])) as [ConsumeReport];
  await ended.catch(() => {});
  if (job.how !== 'parse' && report.orders < job.events) {
    throw new Error(`${report.orders} orders are in the view, but ${job.events} were created`);
  }
  return report;
};
