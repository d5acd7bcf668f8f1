import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Broker, Positions, Topic } from '#kafka_common/broker.ts';
import { endsOf } from '#kafka_common/ends_of.ts';
import type { ViewRebuild, ViewSnapshot } from '#order_service/store/view_rebuild.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import type { Terminal } from '../terminal.ts';
import type { ViewBuilder } from './build.ts';
import { type Difference, differencesBetween } from './compare.ts';

/** `none`: there is no live view. */
export interface Comparison {
  readonly kind: 'none' | 'unreadable' | 'compared';
  /** Why the live view cannot be read; null if it can. */
  readonly reason: string | null;
  /** Orders that differ. */
  readonly count: number;
  /** Those of them that the log does not have. */
  readonly notInLog: number;
  readonly examples: readonly Difference[];
}

export interface ComparedViews {
  readonly rebuild: Pick<ViewRebuild, 'openLive' | 'openRebuilt'>;
  readonly builder: Pick<ViewBuilder, 'buildUpTo' | 'positions'>;
  readonly broker: Pick<Broker, 'bounds'>;
  readonly topic: Topic;
  readonly terminal: Pick<Terminal, 'progress'>;
  readonly signal: AbortSignal;
}

/** Messages that the live view may be ahead when its snapshot is held open for the comparison. */
const NEARLY = 2_000;
/** A live view that moves on faster than the second one is built is compared after so many passes all the same. */
const MAX_PASSES = 10;
/** Examples of orders that differ. */
const SHOWN = 20;
/** Orders that are compared before the event loop has a turn. */
const AT_A_TIME = 1_000;

const NO_DIFFERENCES = { reason: null, count: 0, notInLog: 0, examples: [] };

/**
 * Builds the second view up to the positions of the live one, and compares the two there. If there is no live view, or it
 * cannot be read, the second view is built to the end of the log.
 */
export const buildAndCompare = async (views: ComparedViews): Promise<Comparison> => {
  const { rebuild, builder, broker, topic, terminal } = views;
  for (let pass = 1; ; pass += 1) {
    let live: ViewSnapshot | null = null;
    try {
      live = readingLive(() => rebuild.openLive());
      if (live === null) {
        await builder.buildUpTo(await endsOf(broker, topic.name));
        return { kind: 'none', ...NO_DIFFERENCES };
      }
      // The ends are read after the snapshot is taken, so that none is before a position of it.
      const until = positionsIn(live, topic, await endsOf(broker, topic.name));
      if (missingIn(builder.positions(), until) > NEARLY && pass < MAX_PASSES) {
        live.close();
        live = null;
        await builder.buildUpTo(until);
        continue;
      }
      await builder.buildUpTo(until);
      terminal.progress('comparing');
      return await compareOrders(live, views);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      await builder.buildUpTo(await endsOf(broker, topic.name));
      return { kind: 'unreadable', ...NO_DIFFERENCES, reason: error.message };
    } finally {
      live?.close();
    }
  }
};

/** The live view cannot be read, or is not a view. */
class Unreadable extends Error {}

/** @throws Unreadable */
const readingLive = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw new Unreadable(reasonOf(error), { cause: error });
  }
};

/** The positions of a view in the present log: 0 if they are of a former topic of the same name. */
const positionsIn = (live: ViewSnapshot, topic: Topic, ends: Positions): Positions => {
  const stored = readingLive(() => live.positions(topic.name)).filter(({ topicId }) => topicId === topic.id);
  const next = new Map(stored.map((position) => [position.partition, position.next]));
  return new Map(Array.from(ends, ([partition, end]) => [partition, Math.min(next.get(partition) ?? 0, end)]));
};

const missingIn = (built: Positions, until: Positions): number =>
  until.entries().reduce((sum, [partition, next]) => sum + next - (built.get(partition) ?? 0), 0);

const compareOrders = async (live: ViewSnapshot, { rebuild, signal }: ComparedViews): Promise<Comparison> => {
  const rebuilt = rebuild.openRebuilt();
  try {
    let [compared, count, notInLog] = [0, 0, 0];
    const examples: Difference[] = [];
    const differences = differencesBetween(live.orders(), rebuilt.orders());
    for (let one = readingLive(() => differences.next()); !one.done; one = readingLive(() => differences.next())) {
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
    rebuilt.close();
  }
};
