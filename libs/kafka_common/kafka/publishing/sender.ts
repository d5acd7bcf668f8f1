import { BrokerError, type Fate, type HeaderList, type Topic } from '#kafka_common/broker.ts';
import { isHeaderList } from '#kafka_common/header_list.ts';
import { headerNameBytes } from '#kafka_common/header_names.ts';
import { requireSameTopic } from '#kafka_common/topic_change.ts';
import type { HeaderPart, LaneProducer } from '#kafka_common/kafka/clients.ts';
import type { Closable } from '#kafka_common/kafka/closing.ts';
import { describeError, faultOf, isCertainlyNotWritten } from '#kafka_common/kafka/errors.ts';
import { withinMs } from '#service_common/within.ts';
import { basesOfPartialFailure, fatesFromBases, type RoutedMessage } from './fates.ts';

export interface Sender {
  /** One Produce request. Settles by the deadline (of `performance.now()`). Never rejects. */
  send(topic: Topic, messages: readonly RoutedMessage[], deadline: number): Promise<Sent>;
  /** Gives up what is under way, and sends nothing any more. */
  close(): Promise<void>;
}

interface Sent {
  /** Of each message, by index. */
  readonly fates: readonly Fate[];
  /** The broker refused a record of the batch for what it is, and the others of its partition with it. */
  readonly isMessageFault: boolean;
}

const NOT_SENT_IN_TIME: Fate = { kind: 'not_written', detail: 'not sent, because its time was over before' };
const NOT_SENT_AFTER_CLOSE: Fate = { kind: 'not_written', detail: 'not sent, because the client is closed' };
const NO_OFFSET: Fate = { kind: 'unknown', detail: 'the broker answered without an offset' };

/**
 * Sends for one lane. Owns the lane's producer: an error makes the library give up its producer id, and one dead leader
 * must not do that to the others.
 * @param changes a number that grows when a leader or a topic changes: the old producer could go on sending to a former
 * leader that does not answer, or by what it knows of the former topic
 */
export const createSender = (newProducer: () => Closable<LaneProducer>, changes: () => number): Sender => {
  let producer: Closable<LaneProducer> | null = null;
  let changesSeen = 0;
  let closed = false;

  /** Nothing waits for what is in flight on its connections, and nothing retries it. */
  const abandonProducer = (): void => {
    void producer?.close();
    producer = null;
  };

  const currentProducer = (): LaneProducer => {
    if (changesSeen !== changes()) abandonProducer();
    changesSeen = changes();
    producer ??= newProducer();
    return producer.client;
  };

  const sendOnce = async (topic: Topic, messages: readonly RoutedMessage[], remainingMs: number): Promise<Sent> => {
    try {
      const client = currentProducer();
      const sending = sameTopic(client, topic).then(() =>
        client.send({ messages: messages.map((routed) => recordOf(topic, routed)) }),
      );
      const result = await withinMs(remainingMs, sending);
      const bases = new Map(result.offsets?.map(({ partition, offset }) => [partition, Number(offset)]));
      return { fates: fatesFromBases(messages, bases, NO_OFFSET), isMessageFault: false };
    } catch (error) {
      if (error instanceof BrokerError) {
        abandonProducer();
        return topicFault(messages, error.message);
      }
      const isRefused = isCertainlyNotWritten(error);
      const fault = isRefused ? faultOf(error) : undefined;
      // A producer keeps what it knows of a topic, also when that is the fault.
      if (!isRefused || fault === 'topic') abandonProducer();
      const detail = describeError(error);
      const lost: Fate = isRefused
        ? { kind: 'not_written', detail, ...(fault && { fault }) }
        : { kind: 'unknown', detail };
      const fates = fatesFromBases(messages, basesOfPartialFailure(error), lost);
      return { fates, isMessageFault: fault === 'message' };
    }
  };

  const send: Sender['send'] = async (topic, messages, deadline) => {
    const remainingMs = deadline - performance.now();
    if (closed) return allOf(messages, NOT_SENT_AFTER_CLOSE);
    if (remainingMs <= 0) return allOf(messages, NOT_SENT_IN_TIME);
    return await sendOnce(topic, messages, remainingMs);
  };

  return {
    send,
    async close() {
      closed = true;
      await producer?.close();
    },
  };
};

const allOf = (messages: readonly RoutedMessage[], fate: Fate): Sent => ({
  fates: messages.map(() => fate),
  isMessageFault: false,
});

const recordOf = (topic: Topic, { message: { key, value, headers }, partition }: RoutedMessage) => ({
  topic: topic.name,
  partition,
  key,
  value,
  headers: isHeaderList(headers) ? toMap(headers) : headers,
});

/** The library takes a map. Each name is an object of its own, so the map keeps those that are repeated. */
const toMap = (headers: HeaderList): Map<HeaderPart, HeaderPart | null> =>
  new Map(headers.map(([name, content]) => [headerNameBytes(name), content]));

/** By what the producer knows, which it would send by. @throws BrokerError if the topic is another one now */
const sameTopic = async (producer: LaneProducer, topic: Topic): Promise<void> => {
  const found = (await producer.metadata({ topics: [topic.name] })).topics.get(topic.name);
  requireSameTopic(topic, found ? { name: topic.name, id: found.id, partitions: found.partitionsCount } : null);
};

const topicFault = (messages: readonly RoutedMessage[], reason: string): Sent =>
  allOf(messages, { kind: 'not_written', detail: `not sent: ${reason}`, fault: 'topic' });
