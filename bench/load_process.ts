/** The load generator: plays the plans that it receives, one after the other. */
import type { Latencies, LoadPlan, LoadReport, LoadResult } from './load.ts';
import { closedLoop, openLoop } from './load_arrivals.ts';
import { openConnection } from './load_connection.ts';
import { readOf, requestsOf } from './load_requests.ts';
import { quantile } from './statistics.ts';

const run = async (plan: LoadPlan): Promise<LoadResult> => {
  const { url, connections, seconds, arrivalsPerSecond, readUrl } = plan;
  const nextRequest = requestsOf(plan);
  const answered: number[] = [];
  const readable: number[] = [];
  const all = Array.from({ length: connections });
  const writers = await Promise.all(all.map(() => openConnection(url)));
  const readers = readUrl === null ? [] : await Promise.all(all.map(() => openConnection(readUrl)));
  const cpu = process.cpuUsage();
  const started = performance.now();
  const arrivals = arrivalsPerSecond === null ? closedLoop(seconds) : openLoop(arrivalsPerSecond, seconds);

  const work = async (index: number): Promise<void> => {
    const writer = writers[index];
    const reader = readers[index];
    for (let arrivedAt = await arrivals.next(); arrivedAt !== null; arrivedAt = await arrivals.next()) {
      const request = nextRequest();
      await writer?.exchange(request);
      const now = performance.now();
      answered.push(now - arrivedAt);
      if (reader === undefined) continue;
      await reader.exchange(readOf(request, readUrl ?? ''));
      readable.push(performance.now() - now);
    }
  };
  try {
    await Promise.all(all.map((_, index) => work(index)));
  } finally {
    for (const connection of [...writers, ...readers]) connection.close();
  }
  const took = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  return {
    requests: answered.length,
    perSecond: answered.length / took,
    answered: latenciesOf(answered),
    readable: latenciesOf(readable),
    generatorUs: (user + system) / answered.length,
  };
};

const latenciesOf = (values: readonly number[]): Latencies => {
  const sorted = Float64Array.from(values).toSorted();
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), max: quantile(sorted, 1) };
};

const reportOf = async (plan: LoadPlan): Promise<LoadReport> => {
  try {
    return { result: await run(plan) };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error) };
  }
};

process.on('message', (plan: LoadPlan) => {
  void reportOf(plan).then((report) => process.send?.(report));
});
