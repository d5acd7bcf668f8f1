import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { serviceProcessOptions } from '../libs/service_common/process_settings.ts';
import { inTempDir } from './bench.ts';

export interface ConsumeJob {
  /** `apply` and `parse`: see `consume_process.ts`. `commit each`: see `peers/commit_per_event.js`. */
  readonly how: 'apply' | 'parse' | 'commit each';
  readonly bootstrapServers: string;
  readonly topic: string;
  /** How many events to consume. */
  readonly events: number;
  /** The folder of the store. */
  readonly directory: string;
}

export interface ConsumeReport {
  readonly perSecond: number;
  /** CPU time per event, in microseconds. */
  readonly cpuUs: number;
  /** Orders in the store afterwards. */
  readonly orders: number;
}

/** Consumes into a new store. @throws Error if the consumer fails, or an order is missing afterwards */
export const consume = (job: Omit<ConsumeJob, 'directory'>): Promise<ConsumeReport> =>
  inTempDir((directory) => consumeInto({ ...job, directory }));

/** Consumes into a store that may already have orders. @throws Error if the consumer fails, or an order is missing */
export const consumeInto = async (job: ConsumeJob): Promise<ConsumeReport> => {
  const script = job.how === 'commit each' ? 'peers/commit_per_event.js' : 'consume_process.ts';
  const child = fork(
    fileURLToPath(new URL(script, import.meta.url)),
    [JSON.stringify(job)],
    // As a service runs, so that the figures hold for it.
    serviceProcessOptions(),
  );
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the consumer (${job.how}) ended with ${code}`);
  });
  const [report] = (await Promise.race([once(child, 'message'), ended])) as [ConsumeReport];
  await ended.catch(() => {});
  if (job.how !== 'parse' && report.orders < job.events) {
    throw new Error(`${report.orders} orders are in the view, but ${job.events} were created`);
  }
  return report;
};
