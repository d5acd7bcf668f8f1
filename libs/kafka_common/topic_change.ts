import { BrokerError, type Topic } from './broker.ts';

/** What has become of a topic. @param now null if it does not exist @returns null if it is the same */
export const topicChange = (before: Topic, now: Topic | null): BrokerError | null => {
  if (now === null) return new BrokerError('TOPIC_MISSING', `topic ${before.name} does not exist any more`);
  if (now.id !== before.id) return new BrokerError('TOPIC_CHANGED', `topic ${before.name} was created again`);
  if (now.partitions === before.partitions) return null;
  return new BrokerError(
    'TOPIC_CHANGED',
    `topic ${before.name} has ${now.partitions} partitions now, not ${before.partitions}`,
  );
};

/** @param now null if it does not exist @throws BrokerError `TOPIC_MISSING`, `TOPIC_CHANGED` */
export const requireSameTopic = (before: Topic, now: Topic | null): void => {
  const change = topicChange(before, now);
  if (change !== null) throw change;
};
