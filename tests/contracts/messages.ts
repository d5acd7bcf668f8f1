import assert from 'node:assert/strict';
import type { Batch, Broker, Message, Positions, Topic } from '#kafka_common/broker.ts';

/** Publishing and reading whole topics, for the tests of a broker and for the clients that they start. */

export const PUBLISH_TIMEOUT_MS = 5_000;

export interface ReadMessage {
  readonly partition: number;
  readonly offset: number;
  readonly key: string;
  readonly value: string;
}

export const messagesOf = (batch: Batch): ReadMessage[] =>
  batch.records.map(({ offset, key, value }) => ({
    partition: batch.partition,
    offset,
    key: String(key),
    value: String(value),
  }));

/** Publishes and returns the position of each message. @throws AssertionError unless all are acknowledged */
export const publishAll = async (
  broker: Broker,
  topic: Topic,
  batch: readonly Message[],
): Promise<{ partition: number; offset: number }[]> => {
  const fates = await broker.publish(topic, batch, PUBLISH_TIMEOUT_MS);
  return fates.map((fate) => {
    assert(fate.kind === 'acknowledged', `${fate.kind}: ${'detail' in fate ? fate.detail : ''}`);
    return { partition: fate.partition, offset: fate.offset };
  });
};

export const readAll = async (broker: Broker, topic: Topic, from: Positions = new Map()): Promise<ReadMessage[]> =>
  (await Array.fromAsync(broker.read(topic.name, from), messagesOf)).flat();
