import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Broker, Positions, Topic } from '#kafka_common/broker.ts';
import { describeBroker } from '#kafka_common/config.ts';
import { endsOf } from '#kafka_common/ends_of.ts';
import { VIEW_FILE } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import {
  exchangeView,
  FORMER_FILE,
  lockView,
  problemOfView,
  REBUILT_FILE,
  syncDirectory,
} from '#order_service/store/sqlite/view_files.ts';
import { openViewSnapshot, type ViewSnapshot } from '#order_service/store/sqlite/view_snapshot.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { tryLockFile } from '#service_common/sqlite/file_lock.ts';
import { openTopic } from '../broker_client.ts';
import { defineCommand } from '../command.ts';
import { EXIT, failed } from '../failures.ts';
import { flag } from '../options.ts';
import { createViewBuilder, type ViewBuilder } from './build.ts';
import { type Difference, differencesBetween } from './compare.ts';
import type { Terminal } from '../terminal.ts';
import { preview, visible, visibleJson } from '../visible.ts';

/** Beside the live view, so that a rename is enough to put one into the place of the other. */
const BUILDING = 'order_view.rebuilding';
/** Messages that the live view may be ahead by when it is held still for the comparison. */
const NEARLY = 2_000;
/** A view that moves on faster than it can be followed is held still all the same. */
const MAX_PASSES = 10;
const SHOWN = 20;
/** Orders that are compared before others have their turn. */
const AT_A_TIME = 1_000;

export const rebuild = defineCommand({
  name: 'rebuild',
  summary: 'Builds the view of the Order Service again from the log, and compares it with the present one.',
  details: `A second view is built beside the live one, from all that the topic holds, while the Order Service may go on
running. Where the live view stands at the same positions, the two are compared, order by order: status,
version, contents, and statuses that wait for their order. Then the new view takes the place of the live
one: at once where no Order Service runs on it, or else when one is started next. The former view is kept
as ${FORMER_FILE}.
The settings are those of the service (KAFKA_BOOTSTRAP_SERVERS, DATA_DIR, ORDERS_TOPIC), and the command
is run where its files are. Who follows GET /events/stream begins anew after an exchange, as the sequence
of events across orders can be another, and so can be the ids of dead letters.`,
  options: {
    'dry-run': flag('build and compare only'),
    force: flag('exchange also where the live view has orders that the log does not have: they are lost'),
    json: flag('the result as one line of JSON'),
  },
  found: 'the views differ, the live one cannot be read, or nothing was exchanged',
  examples: [
    ['-- --dry-run', 'is the view what the log says?'],
    ['', 'build it again, and put it into place'],
    ['--silent -- --dry-run --json', 'for a script'],
  ],
  run: async ({ values, terminal, signal }) => {
    const { config, broker, topic, close } = await openTopic();
    const { dataDir } = config;
    terminal.note(`reading ${topic.name} on ${describeBroker(config)}, for the view in ${dataDir}`);
    const directory = join(dataDir, BUILDING);
    const unlock = tryLockFile({ directory: dataDir, name: BUILDING });
    if (unlock === null) throw failed(`another rebuild is under way in ${dataDir}`);
    try {
      // What a killed one has left.
      rmSync(directory, { recursive: true, force: true });
      const work: Work = { broker, topic, dataDir, directory, terminal, signal };
      const result = await build(work, values['dry-run']);
      signal.throwIfAborted();
      const ending = place(work, result.comparison, values['dry-run'], values.force);
      await tell({ ...result, ending }, values.json, work);
      const { kind, count } = result.comparison;
      const isWell = (kind === 'none' || kind === 'compared') && count === 0;
      return isWell && ending !== 'refused' ? EXIT.done : EXIT.failed;
    } finally {
      rmSync(directory, { recursive: true, force: true });
      unlock();
      await close();
    }
  },
});

interface Work {
  readonly broker: Broker;
  readonly topic: Topic;
  readonly dataDir: string;
  /** Where the second view is built. */
  readonly directory: string;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** `none`: there is no live view. */
interface Comparison {
  readonly kind: 'none' | 'unreadable' | 'compared';
  readonly reason: string | null;
  /** Differing orders, of which those that the log does not have. */
  readonly count: number;
  readonly notInLog: number;
  readonly examples: readonly Difference[];
}

interface Result {
  readonly messages: number;
  readonly orders: number;
  readonly pending: number;
  readonly deadLetters: number;
  readonly seconds: number;
  readonly comparison: Comparison;
}

const build = async (work: Work, isDryRun: boolean): Promise<Result> => {
  const { broker, topic, directory, terminal, signal } = work;
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1_000;
  const total = (await broker.bounds(topic.name)).values().reduce((sum, { start, end }) => sum + end - start, 0);
  const onProgress = (messages: number): void => {
    const share = total === 0 ? 100 : Math.min(100, Math.floor((messages / total) * 100));
    terminal.progress(`${messages} messages applied, ${share} %, ${Math.round(messages / seconds())} a second`);
  };
  mkdirSync(directory, { recursive: true });
  const builder = createViewBuilder({ directory, broker, topic, signal, onProgress });
  try {
    const comparison = await buildAndCompare(builder, work);
    // Whoever takes it up has the less to read.
    if (!isDryRun) await builder.buildUpTo(await endsOf(broker, topic.name));
    const { orders, pending, deadLetters } = await builder.counts();
    return { messages: builder.messages(), orders, pending, deadLetters, seconds: seconds(), comparison };
  } finally {
    await builder.close();
  }
};

/** Builds up to where the live view stands, and compares the two there; where there is none, to the end of the log. */
const buildAndCompare = async (builder: ViewBuilder, work: Work): Promise<Comparison> => {
  const { broker, topic, dataDir, directory, terminal } = work;
  const live = join(dataDir, VIEW_FILE);
  const nothing = { reason: null, count: 0, notInLog: 0, examples: [] };
  if (!existsSync(live)) {
    await builder.buildUpTo(await endsOf(broker, topic.name));
    return { kind: 'none', ...nothing };
  }
  for (let pass = 1; ; pass += 1) {
    let snapshot: ViewSnapshot | null = null;
    try {
      snapshot = reading(() => openViewSnapshot(live));
      const until = positionsIn(snapshot, topic, await endsOf(broker, topic.name));
      const behind = until.entries().reduce((sum, [p, next]) => sum + next - (builder.positions().get(p) ?? 0), 0);
      if (behind > NEARLY && pass < MAX_PASSES) {
        snapshot.close();
        snapshot = null;
        await builder.buildUpTo(until);
        continue;
      }
      await builder.buildUpTo(until);
      terminal.progress('comparing');
      return await compare(snapshot, join(directory, VIEW_FILE), work);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      await builder.buildUpTo(await endsOf(broker, topic.name));
      return { kind: 'unreadable', ...nothing, reason: error.message };
    } finally {
      snapshot?.close();
    }
  }
};

/** The live view is not what a view must be. */
class Unreadable extends Error {}

const reading = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw new Unreadable(reasonOf(error), { cause: error });
  }
};

/** Where a view stands in the log as it is now: nowhere in a topic that was made again. */
const positionsIn = (snapshot: ViewSnapshot, topic: Topic, ends: Positions): Positions => {
  const stored = reading(() => snapshot.positions(topic.name)).filter(({ topicId }) => topicId === topic.id);
  const next = new Map(stored.map((position) => [position.partition, position.next]));
  return new Map(Array.from(ends, ([partition, end]) => [partition, Math.min(next.get(partition) ?? 0, end)]));
};

const compare = async (live: ViewSnapshot, rebuilt: string, { signal }: Work): Promise<Comparison> => {
  const snapshot = openViewSnapshot(rebuilt);
  try {
    let [compared, count, notInLog] = [0, 0, 0];
    const examples: Difference[] = [];
    const differences = differencesBetween(live.orders(), snapshot.orders());
    for (let one = reading(() => differences.next()); !one.done; one = reading(() => differences.next())) {
      compared += 1;
      if (compared % AT_A_TIME === 0) await othersTurn();
      signal.throwIfAborted();
      if (one.value === null) continue;
      count += 1;
      if (one.value.kind === 'not_in_log') notInLog += 1;
      if (examples.length < SHOWN) examples.push(one.value);
    }
    return { kind: 'compared', reason: null, count, notInLog, examples };
  } finally {
    snapshot.close();
  }
};

/** What became of the second view. */
type Ending = 'discarded' | 'refused' | 'exchanged' | 'waits';

const place = ({ dataDir, directory }: Work, { notInLog }: Comparison, isDryRun: boolean, force: boolean): Ending => {
  if (isDryRun) return 'discarded';
  if (notInLog > 0 && !force) return 'refused';
  const built = join(directory, VIEW_FILE);
  const problem = problemOfView(built);
  if (problem !== null) throw failed(`the view that was built cannot be used: ${problem}`);
  // From here on it is complete, whatever happens: the next start would take it up.
  renameSync(built, join(dataDir, REBUILT_FILE));
  syncDirectory(dataDir);
  const unlock = lockView(dataDir);
  if (unlock === null) return 'waits';
  try {
    exchangeView(dataDir);
    return 'exchanged';
  } finally {
    unlock();
  }
};

const tell = async (result: Result & { readonly ending: Ending }, json: boolean, work: Work): Promise<void> => {
  const { terminal, topic, dataDir } = work;
  if (json) {
    await terminal.print(visibleJson(result));
    return;
  }
  const { messages, orders, pending, deadLetters, seconds, comparison, ending } = result;
  const { kind, reason, count, notInLog, examples } = comparison;
  const lines = [
    `built from ${messages} messages of ${topic.name} in ${seconds.toFixed(1)} s: ${orders} orders, ${pending} pending, ${deadLetters} dead letters`,
    ...(kind === 'none' ? ['there is no live view to compare with'] : []),
    ...(kind === 'unreadable' ? [`the live view cannot be compared: ${visible(reason ?? '')}`] : []),
    ...(kind === 'compared' ? [count === 0 ? 'the live view is the same' : `${count} orders differ`] : []),
    ...examples.map(differenceLine),
    ...(count > examples.length ? [`  … and ${count - examples.length} more`] : []),
    {
      discarded: 'nothing was exchanged (--dry-run)',
      refused: `nothing was exchanged, as ${notInLog} orders are not in the log; --force does it all the same`,
      exchanged: `exchanged${kind === 'none' ? '' : `; the former view is ${join(dataDir, FORMER_FILE)}`}`,
      waits: `an Order Service is running on the view: it takes up ${join(dataDir, REBUILT_FILE)} when it starts next`,
    }[ending],
  ];
  for (const line of lines) await terminal.print(line);
};

const differenceLine = ({ orderId, live, rebuilt }: Difference): string =>
  `  ${visible(orderId)}: live ${preview(live ?? 'missing', 300)}; log ${preview(rebuilt ?? 'missing', 300)}`;
