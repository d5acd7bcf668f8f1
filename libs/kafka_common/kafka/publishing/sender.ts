import type { Fate, Topic } from '#kafka_common/broker.ts';
import type { LaneProducer } from '#kafka_common/kafka/clients.ts';
import type { Closable } from '#kafka_common/kafka/closing.ts';
import { describeError, isCertainlyNotWritten, protocolErrorsOf } from '#kafka_common/kafka/errors.ts';
import { withinMs } from '#service_common/within.ts';
import { basesOfPartialFailure, fatesFromBases, type RoutedMessage } from './fates.ts';

export interface Sender {
  /** Settles by the deadline (of `performance.now()`) with one fate for each message, by index. Never rejects. */
  send(topic: Topic, messages: readonly RoutedMessage[], deadline: number): Promise<Fate[]>;
  /** Gives up what is under way, and sends nothing any more. */
  close(): Promise<void>;
}

interface Sent {
  readonly fates: Fate[];
  /** The broker refused the batch because a record of it is too large. */
  readonly isTooLarge: boolean;
}

const NOT_SENT_IN_TIME: Fate = { kind: 'not_written', detail: 'not sent, because its time was over before' };
const NOT_SENT_AFTER_CLOSE: Fate = { kind: 'not_written', detail: 'not sent, because the client is closed' };
const NO_OFFSET: Fate = { kind: 'unknown', detail: 'the broker answered without an offset' };

/**
 * Sends for one lane. Owns the lane's producer: an error makes the library give up its producer id, and one dead leader
 * must not do that to the others.
 * @param leaderChanges a number that grows when a leader changes: the old producer could go on sending to a former
 * leader that does not answer
 */
export const createSender = (newProducer: () => Closable<LaneProducer>, leaderChanges: () => number): Sender => {
  let producer: Closable<LaneProducer> | null = null;
  let changesSeen = 0;
  let closed = false;

  /** Nothing waits for what is in flight on its connections, and nothing retries it. */
  const abandonProducer = (): void => {
    void producer?.close();
    producer = null;
  };

  const currentProducer = (): LaneProducer => {
    if (changesSeen !== leaderChanges()) abandonProducer();
    changesSeen = leaderChanges();
    producer ??= newProducer();
    return producer.client;
  };

  const sendOnce = async (topic: Topic, messages: readonly RoutedMessage[], remainingMs: number): Promise<Sent> => {
    const records = messages.map(({ message, partition }) => ({ topic: topic.name, partition, ...message }));
    try {
      const result = await withinMs(remainingMs, currentProducer().send({ messages: records }));
      const bases = new Map(result.offsets?.map(({ partition, offset }) => [partition, Number(offset)]));
      return { fates: fatesFromBases(messages, bases, NO_OFFSET), isTooLarge: false };
    } catch (error) {
      const isRefused = isCertainlyNotWritten(error);
      if (!isRefused) abandonProducer();
      const lost: Fate = { kind: isRefused ? 'not_written' : 'unknown', detail: describeError(error) };
      const fates = fatesFromBases(messages, basesOfPartialFailure(error), lost);
      return { fates, isTooLarge: isRefused && protocolErrorsOf(error).includes('MESSAGE_TOO_LARGE') };
    }
  };

  const send: Sender['send'] = async (topic, messages, deadline) => {
    const remainingMs = deadline - performance.now();
    if (closed) return messages.map(() => NOT_SENT_AFTER_CLOSE);
    if (remainingMs <= 0) return messages.map(() => NOT_SENT_IN_TIME);
    const { fates, isTooLarge } = await sendOnce(topic, messages, remainingMs);
    const refused = fates.flatMap((fate, index) => (fate.kind === 'acknowledged' ? [] : [index]));
    if (!isTooLarge || refused.length < 2) return fates;
    // Kafka refuses a whole record batch if one record is too large. In halves, the other records get through.
    const half = Math.ceil(refused.length / 2);
    for (const part of [refused.slice(0, half), refused.slice(half)]) {
      const partMessages = part.flatMap((index) => messages.slice(index, index + 1));
      const partFates = await send(topic, partMessages, deadline);
      partFates.forEach((fate, i) => fates.splice(part[i] ?? 0, 1, fate));
    }
    return fates;
  };

  return {
    send,
    async close() {
      closed = true;
      await producer?.close();
    },
  };
};
