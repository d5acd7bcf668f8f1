import type { Operation } from './plan.ts';
import { TOPIC, type World } from './world.ts';

/** Enough for every message but that of a large order. */
const MAX_BYTES = 1_500;

/** What an administrator does to the topic under the running services. */
export const changeTopic = (world: World, { change, partitions }: Extract<Operation, { kind: 'topic' }>): void => {
  const { cluster, coverage, topicMadeAgain, time } = world;
  const topic = cluster.describe(TOPIC)?.topic;
  if (topic === undefined) return;
  if (change === 'grown') {
    cluster.addPartitions(TOPIC, topic.partitions + partitions);
    coverage['partitions added'] += partitions;
    return;
  }
  if (change === 'limited') {
    cluster.limit(TOPIC, MAX_BYTES);
    coverage['topics limited'] += 1;
    return;
  }
  for (const orderId of ordersIn(world)) world.formerOrders.add(orderId);
  cluster.deleteTopic(TOPIC);
  // If it is only deleted, the Cart Service creates it again.
  if (change === 'made again') cluster.create(TOPIC, partitions);
  topicMadeAgain.push(time.now);
  coverage['topics made again'] += 1;
};

/** All orders that the log or a service knows of. */
const ordersIn = ({ cluster, cartDisk, viewDisk }: World): string[] => [
  ...cluster.log(TOPIC).flatMap((records) => records.flatMap(({ key }) => key?.toString() ?? [])),
  ...cartDisk.state.orders.keys(),
  ...viewDisk.state.orders.keys(),
  ...viewDisk.state.pending.values().map(({ orderId }) => orderId),
];
