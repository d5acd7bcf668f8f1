import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import type { Fault, Service, Stage } from '#tests/faults/fault.ts';
import { readinessOf } from '#tests/faults/readiness.ts';
import {
  diskAt,
  type FillableDisk,
  mountSmallDisk,
  type SmallDisk,
  smallDiskProblem,
} from '#tests/faults/small_disk.ts';

const FULL_MS = 3_000;
/** The longest wait for the first failure: SQLite uses up allocated space before. */
const FAILS_MS = 20_000;
/** More exchanges than there are in a second. */
const RECENT = 2_000;
const STORE_MEGABYTES = 256;
const LOG_MEGABYTES = 512;

/** A row with one store on a separate disk, which `run` fills. */
const storeRow = (
  service: 'cart' | 'order',
  file: string,
  row: Pick<Fault, 'name' | 'title'>,
  run: (stage: Stage, disk: FillableDisk) => Promise<void>,
): Fault => {
  let path = '';
  let disk: SmallDisk | undefined;
  return {
    ...row,
    rounds: { full: 5, short: 1 },
    on: { broker: 'kafka' },
    cannotRun: smallDiskProblem,
    async prepare(stage) {
      path = tempDir();
      disk = mountSmallDisk(path, STORE_MEGABYTES);
      await moveStore(stage[service], file, stage.storeDir, path);
    },
    run: (stage) => run(stage, diskAt(path)),
    async finish(stage) {
      copyBack(file, path, stage.storeDir);
      disk?.remove();
    },
  };
};

const cartStoreDisk = storeRow(
  'cart',
  'cart.sqlite',
  { name: 'disk-full-cart-store', title: "disk full under the cart's store" },
  async (stage, disk) => {
    const since = performance.now();
    await whileFull(stage, disk, () => assert.ok(storeFailures(stage, since).length > 0, 'no write was refused'));
    for (const { answer } of storeFailures(stage, since)) {
      assert.match(answer?.outcome ?? '', /^(not_created|not_updated|unknown)$/, 'the answer has an outcome');
    }
    stage.note(`${storeFailures(stage, since).length} answers StoreUnavailable`);
  },
);

const viewDisk = storeRow(
  'order',
  'order_view.sqlite',
  { name: 'disk-full-view', title: 'disk full under the view' },
  async (stage, disk) => {
    const isFelt = async (): Promise<void> => assert.notEqual((await readinessOf(stage.order)).storeFailure, null);
    await whileFull(stage, disk, isFelt, async () => {
      // Reads must go on. The campaign checks that no offset was committed that the view had not reached.
      const since = performance.now();
      await eventually(() => {
        const reads = stage.load.exchanges.filter((e) => e.request.kind === 'read' && e.askedAt >= since);
        assert.ok(reads.some(({ answer }) => answer?.status === 200));
        assert.ok(!reads.some(({ answer }) => (answer?.status ?? 0) >= 500));
      }, FULL_MS);
    });
  },
);

const KAFKA_DIR = join(tmpdir(), `order-events-kafka-small-disk-${process.pid}`);

let kafkaDisk: SmallDisk | undefined;

const brokerLogDisk: Fault = {
  name: 'disk-full-broker-log',
  title: "disk full under the broker's log: Kafka shuts down, and is restarted once there is room",
  rounds: { full: 5, short: 1 },
  on: { broker: 'kafka', options: { dataDir: KAFKA_DIR } },
  cannotRun: smallDiskProblem,

  async prepare(stage) {
    process.once('exit', () => rmSync(KAFKA_DIR, { recursive: true, force: true }));
    const log = join(KAFKA_DIR, 'log');
    await kafkaOf(stage).kill();
    renameSync(log, `${log}.before`);
    kafkaDisk = mountSmallDisk(log, LOG_MEGABYTES);
    cpSync(`${log}.before`, log, { recursive: true });
    await kafkaOf(stage).restart();
  },

  async run(stage) {
    kafkaDisk?.fill();
    try {
      await eventually(() => {
        kafkaDisk?.fill();
        const since = performance.now() - 1_000;
        const writes = stage.load.exchanges
          .slice(-RECENT)
          .filter((e) => e.request.kind !== 'read' && e.endedAt >= since);
        assert.ok(writes.length > 0 && writes.every(({ answer }) => answer?.status !== 200), 'writes still succeed');
      }, FAILS_MS);
      await sleep(FULL_MS);
    } finally {
      kafkaDisk?.makeRoom();
    }
    stage.note(isAlive(kafkaOf(stage).pid) ? 'Kafka went on' : 'Kafka ended by itself');
    await kafkaOf(stage).kill();
    await kafkaOf(stage).restart();
    stage.healed();
  },

  async finish(stage) {
    await kafkaOf(stage).kill();
    kafkaDisk?.remove();
  },
};

const embeddedDisk: Fault = {
  name: 'disk-full-embedded',
  title: 'disk full under the embedded broker and both stores',
  rounds: { full: 5, short: 1 },
  on: { broker: 'embedded', diskMegabytes: STORE_MEGABYTES },
  cannotRun: smallDiskProblem,

  async run(stage) {
    const since = performance.now();
    await whileFull(stage, diskAt(stage.dataDir), () => {
      const failed = stage.load.exchanges.filter(
        ({ request, answer, endedAt }) => request.kind !== 'read' && endedAt >= since && (answer?.status ?? 0) >= 500,
      );
      assert.ok(failed.length > 0, 'no write was refused');
    });
  },
};

export const diskRows: readonly Fault[] = [cartStoreDisk, viewDisk, brokerLogDisk, embeddedDisk];

const kafkaOf = (stage: Stage): Stage['kafka'][number] => {
  const [broker] = stage.kafka;
  if (broker === undefined) throw new Error('this row needs Kafka');
  return broker;
};

const isAlive = (pid: number | undefined): boolean => {
  try {
    return process.kill(pid ?? 0, 0);
  } catch {
    return false;
  }
};

/** Moves a store and leaves a symbolic link. SQLite keeps the `-wal` file beside the target of the link. */
const moveStore = async (service: Service, file: string, from: string, to: string): Promise<void> => {
  await service.stop();
  copyFileSync(join(from, file), join(to, file));
  rmSync(join(from, file));
  symlinkSync(join(to, file), join(from, file));
  await service.start();
};

const copyBack = (file: string, from: string, to: string): void => {
  rmSync(join(to, file));
  for (const part of [file, `${file}-wal`]) {
    if (existsSync(join(from, part))) copyFileSync(join(from, part), join(to, part));
  }
};

/** Fills the disk until `isFelt` passes, and keeps it full for a while, in which `meanwhile` must pass. */
const whileFull = async (
  stage: Stage,
  disk: FillableDisk,
  isFelt: () => void | Promise<void>,
  meanwhile: () => Promise<void> = async () => {},
): Promise<void> => {
  try {
    await eventually(async () => {
      // Repeated, because SQLite frees space when it fails.
      disk.fill();
      await isFelt();
    }, FAILS_MS);
    await Promise.all([sleep(FULL_MS), meanwhile()]);
  } finally {
    disk.makeRoom();
  }
  stage.healed();
};

const storeFailures = ({ load }: Stage, since: number) =>
  load.exchanges.filter(({ answer, endedAt }) => endedAt >= since && answer?.code === 'StoreUnavailable');
