import type { Logger } from 'pino';
import type { Broker, ConsumeOptions, Positions, Topic } from '#kafka_common/broker.ts';
import type { ViewWriter } from '#order_service/consumer_db.ts';
import type { BatchApplier } from './batch_applier.ts';
import type { ConsumingState } from './consuming_state.ts';
import type { PartitionPositions } from './partition_positions.ts';

export interface StartPositionsOptions {
  readonly broker: Pick<Broker, 'committed' | 'bounds'>;
  readonly db: Pick<ViewWriter, 'positions'>;
  readonly applier: Pick<BatchApplier, 'apply'>;
  readonly positions: Pick<PartitionPositions, 'begin' | 'lostAll' | 'applied' | 'setFirstLag'>;
  readonly state: Pick<ConsumingState, 'topicMadeAgain'>;
  readonly group: string;
  readonly logger: Logger;
}

/** Finds where to start in partitions that were just assigned: at the position of the view, not at that of the group. */
export const createStartPositions = (options: StartPositionsOptions): ConsumeOptions['startAt'] => {
  const { broker, db, applier, positions, state, group, logger } = options;

  const startAgain = async (topic: Topic, partitions: readonly number[]): Promise<void> => {
    positions.lostAll(partitions.length);
    state.topicMadeAgain();
    logger.error({ topic: topic.name, partitions }, RECREATED);
    // Position 0 is stored at once, so that this is logged once, also if a partition gets no record for long.
    for (const partition of partitions) {
      await applier.apply({ topic, partition, records: [], next: 0, end: 0 }, null);
      positions.applied(partition, 0);
    }
  };

  const warnIfBehindGroup = async (topic: Topic, partitions: readonly number[], stored: Positions): Promise<void> => {
    const committed = await broker.committed(group, topic.name);
    const behind = partitions.filter((partition) => (committed.get(partition) ?? 0) > (stored.get(partition) ?? 0));
    if (behind.length > 0) logger.warn({ topic: topic.name, partitions: behind }, BEHIND);
  };

  /** A partition without a new record gets no batch that would say its lag. */
  const findLags = async ({ name }: Topic, partitions: readonly number[]): Promise<void> => {
    const bounds = await broker.bounds(name);
    for (const partition of partitions) {
      const found = bounds.get(partition);
      // Records before the start are not there to be read.
      if (found) positions.setFirstLag(partition, found.start, found.end);
    }
  };

  return async (topic, partitions) => {
    const found = (await db.positions(topic.name)).filter(({ partition }) => partitions.includes(partition));
    const former = found.filter(({ topicId }) => topicId !== topic.id).map(({ partition }) => partition);
    const stored = new Map(
      found.filter(({ topicId }) => topicId === topic.id).map(({ partition, next }) => [partition, next]),
    );
    positions.begin(partitions, stored);
    if (former.length > 0) await startAgain(topic, former);
    else await warnIfBehindGroup(topic, partitions, stored);
    // Not awaited: one leader that does not answer must not hold up the other partitions.
    void findLags(topic, partitions).catch(() => {});
    return stored;
  };
};

const RECREATED =
  'the topic was deleted and made again: reading the new one from its start. Orders of the former topic stay in the view; to remove them, stop the service, delete the view and start the service again';

const BEHIND = 'the view is older than what the group has committed (deleted or restored?): rebuilding it from the log';
