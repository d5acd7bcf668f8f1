import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerError, Topic } from '#kafka_common/broker.ts';
import { topicChange } from '#kafka_common/topic_change.ts';
import type { Topics } from './topics.ts';

/** How often a topic in use is looked at. */
const LOOK_INTERVAL_MS = 2_000;

/** Looks at the topic again and again. @returns what has become of it; null once the signal aborts */
export const untilTopicChanges = async (
  topics: Pick<Topics, 'describe'>,
  topic: Topic,
  signal: AbortSignal,
): Promise<BrokerError | null> => {
  while (!signal.aborted) {
    await sleep(LOOK_INTERVAL_MS, undefined, { signal, ref: false }).catch(() => {});
    if (signal.aborted) break;
    const change = await topicChangeNow(topics, topic);
    if (change !== null) return change;
  }
  return null;
};

/** What has become of the topic; null if it is the same, or if the broker cannot be asked. */
export const topicChangeNow = (topics: Pick<Topics, 'describe'>, topic: Topic): Promise<BrokerError | null> =>
  topics.describe(topic.name).then(
    (now) => topicChange(topic, now),
    () => null,
  );
