import type { Fate, Topic } from '#kafka_common/broker.ts';
import { withinMs } from '#service_common/within.ts';
import { chunksOf } from './chunks.ts';
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

/** Publishes to the partitions of one leader, one Produce request at a time. Owns the queue of calls. */
export const createLane = (sender: Sender): Lane => {
  let tail: Promise<unknown> = Promise.resolve();

  const sendInChunks = async (topic: Topic, messages: readonly RoutedMessage[], deadline: number): Promise<Fate[]> => {
    const fates: Fate[] = [];
    for (const chunk of chunksOf(messages)) {
      // Nothing may overtake a message whose fate is unknown, so what comes after it is not sent at all.
      const stopped = fates.some((fate) => fate.kind === 'unknown');
      fates.push(...(stopped ? chunk.map(() => NOT_SENT_AFTER_UNKNOWN) : await sender.send(topic, chunk, deadline)));
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
