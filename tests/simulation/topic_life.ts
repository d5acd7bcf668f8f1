import type { Operation } from './plan.ts';
import { TOPIC, type World } from './world.ts';

/** What an administrator does to the topic under the running services. */
export const changeTopic = (
  { cluster, coverage, topicMadeAgain, time }: World,
  { change, partitions }: Extract<Operation, { kind: 'topic' }>,
): void => {
  const topic = cluster.describe(TOPIC)?.topic;
  if (topic === undefined) return;
  if (change === 'grown') {
    cluster.addPartitions(TOPIC, topic.partitions + partitions);
    coverage['partitions added'] += partitions;
    return;
  }
  cluster.deleteTopic(TOPIC);
  // If it is only deleted, the Cart Service creates it again.
  if (change === 'made again') cluster.create(TOPIC, partitions);
  topicMadeAgain.push(time.now);
  coverage['topics made again'] += 1;
};
