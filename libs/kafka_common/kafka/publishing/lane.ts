import type { Fate, Topic } from '#kafka_common/broker.ts';
import { withinMs } from '#service_common/within.ts';
import { largestPartition, MAX_PARTITION_BYTES, takeChunk } from './chunks.ts';
import type { RoutedMessage } from './fates.ts';
import type { Sender } from './sender.ts';

export interface Lane {
  /** Settles within `timeoutMs` with one fate for each message, by index. A second call waits for the first. */
  publish(topic: Topic, messages: readonly RoutedMessage[], timeoutMs: number): Promise<Fate[]>;
  /** Waits at most a second for what is under way. Afterwards nothing is sent any more. */
  close(): Promise<void>;
}

const CLOSE_MS = 1_000;

const NOT_SENT_AFTER_UNKNOWN: Fate = {
  kind: 'not_written',
  detail: 'not sent, because the fate of an earlier message is unknown',
};

/** After a refusal the lane sends less at once, and then slowly more again, in case it was about one message. */
const GROWTH = 1.1;

interface Numbered extends RoutedMessage {
  /** By it, the fate goes to the caller. */
  readonly index: number;
}

/** Publishes to the partitions of one leader, one Produce request at a time. Owns the queue of calls. */
export const createLane = (sender: Sender): Lane => {
  let tail: Promise<unknown> = Promise.resolve();
  let partitionBytes = MAX_PARTITION_BYTES;

  /**
   * Kafka refuses a partition's whole record batch for one of its records, or because the batch itself is too large. In
   * smaller batches, all others get through.
   * @returns the messages whose refusal says nothing of themselves
   */
  const refusedForOthers = (chunk: readonly Numbered[], fates: readonly Fate[]): Numbered[] => {
    const refused = chunk.filter((_, n) => fates[n]?.kind === 'not_written');
    const byPartition = Map.groupBy(refused, ({ partition }) => partition);
    const several = refused.filter(({ partition }) => (byPartition.get(partition)?.length ?? 0) > 1);
    if (several.length > 0) partitionBytes = Math.ceil(largestPartition(several) / 2);
    return several;
  };

  const sendInChunks = async (topic: Topic, messages: readonly RoutedMessage[], deadline: number): Promise<Fate[]> => {
    const fates: Fate[] = messages.map(() => NOT_SENT_AFTER_UNKNOWN);
    const pending: Numbered[] = messages.map((routed, index) => ({ ...routed, index }));
    while (pending.length > 0) {
      const chunk = takeChunk(pending, partitionBytes);
      const sent = await sender.send(topic, chunk, deadline);
      chunk.forEach(({ index }, n) => (fates[index] = sent.fates[n] ?? NOT_SENT_AFTER_UNKNOWN));
      if (sent.isMessageFault) pending.unshift(...refusedForOthers(chunk, sent.fates));
      else partitionBytes = Math.min(MAX_PARTITION_BYTES, partitionBytes * GROWTH);
      // Nothing may overtake a message whose fate is unknown, so what comes after it is not sent at all.
      if (sent.fates.some((fate) => fate.kind === 'unknown')) break;
    }
    return fates;
  };

  return {
    async publish(topic, messages, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      const previous = tail;
      const result = previous.then(() => sendInChunks(topic, messages, deadline));
      tail = result;
      return await result;
    },

    async close() {
      await withinMs(CLOSE_MS, tail).catch(() => {});
      await sender.close();
    },
  };
};
