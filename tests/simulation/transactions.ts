import { nextVersions, versionOf } from './other_producers.ts';
import { HEAL_AT_MS, type Operation, ORDERS } from './plan.ts';
import { TOPIC, type World } from './world.ts';

/** Begins the ids of orders that only transactions write. */
const ID_PREFIX = 'ORD-78';

const orderIdOf = (order: number): string => (order < ORDERS ? `ORD-${order + 1}` : `${ID_PREFIX}${order - ORDERS}`);

/**
 * Writes the next versions of orders in a transaction, between the writes of others. Until its end the transaction holds
 * up every reader behind its first record. At the heal it ends at the latest.
 */
export const writeTransaction = (world: World, operation: Extract<Operation, { kind: 'transaction' }>): void => {
  const { cluster, coverage, time } = world;
  if (cluster.describe(TOPIC) === null) return;
  const { end, writes } = operation;
  const ms = Math.min(operation.ms, HEAL_AT_MS - time.now);
  const transaction = cluster.beginTransaction();
  /** The versions that this transaction has given. */
  const versions = new Map<string, number>();
  coverage[`transactions ${end}`] += 1;

  writes.forEach(({ order, status }, n) => {
    world.after((n * ms) / writes.length, () => {
      const orderId = orderIdOf(order);
      const version = Math.max(versionOf(world, orderId), versions.get(orderId) ?? 0);
      const messages = nextVersions(world, orderId, version, [status]);
      versions.set(orderId, version + messages.length);
      for (const message of messages) cluster.write(TOPIC, message, { transaction });
    });
  });
  world.after(ms, () => cluster.endTransaction(TOPIC, transaction, end));
};
