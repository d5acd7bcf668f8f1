/**
 * `node bench/view_stores.ts [events] [instances]`: how many events a second each store of the Order Service applies,
 * without a broker: creates with random ids and one update of each, 500 records a transaction, from six partitions.
 * PostgreSQL commits to the disk, as SQLite does.
 */
import { execFileSync } from 'node:child_process';
import { pino } from 'pino';
import type { LogRecord } from '../libs/kafka_common/broker.ts';
import { readDatabaseAddress } from '../libs/service_common/postgres/database_address.ts';
import type { ViewWriter } from '../services/order_service/consumer_db.ts';
import { createBatchApplier } from '../services/order_service/consuming/batch_applier.ts';
import { openPostgresStore } from '../services/order_service/store/postgres/postgres_consumer_db.ts';
import { openCheckpointedView } from '../services/order_service/store/sqlite/sqlite_view.ts';
import { postgresPrograms } from '../tests/postgres/postgres_programs.ts';
import { createDatabase, startPostgres } from '../tests/postgres/postgres_server.ts';
import { record, statusUpdated } from '../tests/support/events.ts';
import { REDRIVE_PROOF } from '../tests/support/redrive_proof.ts';
import { inTempDir } from './bench.ts';
import { createdEvent } from './events.ts';

const [events = 100_000, instances = 1] = process.argv.slice(2).map(Number);
const PARTITIONS = 6;
const WINDOW = 500;

/** The records of an instance: its orders, then an update of each. */
const windowsOf = (instance: number): LogRecord[][] => {
  const count = Math.floor(events / instances / 2);
  const created = Array.from({ length: count }, (_, n) => createdEvent(instance * count + n + 1, 'random'));
  const all = [...created, ...created.map(({ orderId }) => statusUpdated(orderId, 2, 'confirmed'))];
  return Array.from({ length: Math.ceil(all.length / WINDOW) }, (_, w) =>
    all.slice(w * WINDOW, (w + 1) * WINDOW).map((event, n) => record(event, { offset: w * WINDOW + n })),
  );
};

const applyAll = async (db: ViewWriter, instance: number, windows: readonly LogRecord[][]): Promise<void> => {
  const applier = createBatchApplier({
    db,
    logger: pino({ level: 'warn' }),
    now: Date.now,
    redriveProof: REDRIVE_PROOF,
    storeRetryDelay: () => 100,
    observers: [],
    signal: new AbortController().signal,
  });
  const froms = new Map<number, number>();
  for (const [n, records] of windows.entries()) {
    const partition = instance * PARTITIONS + (n % PARTITIONS);
    const next = (records.at(-1)?.offset ?? 0) + 1;
    const topic = { name: 'orders.events', id: 'topic-1', partitions: PARTITIONS * instances };
    await applier.apply({ topic, partition, records, next, end: next }, froms.get(partition) ?? null);
    froms.set(partition, next);
  }
};

const measure = async (name: string, dbs: readonly ViewWriter[], serverPid?: number): Promise<number> => {
  const windows = dbs.map((_, n) => windowsOf(n));
  const server = serverPid === undefined ? 0 : cpuSecondsOf(serverPid);
  const cpu = process.cpuUsage();
  const began = performance.now();
  await Promise.all(dbs.map((db, n) => applyAll(db, n, windows[n] ?? [])));
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const ofServer = serverPid === undefined ? 0 : cpuSecondsOf(serverPid) - server;
  const perEvent = (us: number): string => `${(us / events).toFixed(1)} us`;
  console.log(
    `${name}: ${Math.round(events / seconds)} events/s; CPU an event: ${perEvent(user + system)} here` +
      (serverPid === undefined ? '' : `, ${perEvent(ofServer * 1e6)} in the server`),
  );
  return events / seconds;
};

/** The CPU time of a server and of the processes that it has started, ended ones too. */
const cpuSecondsOf = (pid: number): number => {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid=,cputimes='], { encoding: 'utf8' }).trim().split('\n');
  const times = rows.map((row) => row.trim().split(/\s+/).map(Number));
  return times.filter(([own, parent]) => own === pid || parent === pid).reduce((sum, [, , s = 0]) => sum + s, 0);
};

const sqlite = await inTempDir(async (directory) => {
  const db = openCheckpointedView(directory);
  const rate = await measure('SQLite', [db]);
  await db.close();
  return rate;
});

const server = await startPostgres((await postgresPrograms()) ?? '', { settings: { max_wal_size: '4GB' } });
try {
  const address = readDatabaseAddress(await createDatabase(server.url), '');
  const stores = await Promise.all(Array.from({ length: instances }, () => openPostgresStore(address)));
  const rate = await measure(
    `PostgreSQL, ${instances} of them`,
    stores.map(({ db }) => db),
    server.pid,
  );
  console.log(`PostgreSQL / SQLite: ${(rate / sqlite).toFixed(2)}`);
  await Promise.all(stores.map(({ db }) => db.close()));
} finally {
  await server.stop();
}
