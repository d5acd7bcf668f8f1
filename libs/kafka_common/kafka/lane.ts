import { MultipleErrors, type Producer, ResponseError } from '@platformatic/kafka';
import type { Fate, Message, Topic } from '#kafka_common/broker.ts';
import type { Closable } from './closing.ts';
import { describeError, isCertainlyNotWritten, protocolErrorsOf } from './errors.ts';
import { withinMs } from '#service_common/within.ts';

/** A message and the partition it goes to. */
export interface RoutedMessage {
  readonly message: Message;
  readonly partition: number;
}

export interface Lane {
  /** Settles within `timeoutMs` with one fate a message, by index. A second call waits for the first. */
  publish(topic: Topic, messages: readonly RoutedMessage[], timeoutMs: number): Promise<Fate[]>;
  /** From the next send on, what was known of the cluster is learnt anew. */
  renew(): void;
  /** What has not settled after a second is given up, and nothing is sent any more. */
  close(): Promise<void>;
}

/** Kafka limits the bytes of a record batch (`message.max.bytes`, 1 MiB by default): a send stays below for each partition. */
const MAX_PARTITION_BYTES = 900_000;

/** What a record needs beside key, value and headers, at most. */
const RECORD_OVERHEAD_BYTES = 64;

const CLOSE_MS = 1_000;

const NOT_SENT_IN_TIME: Fate = { kind: 'not_written', detail: 'not sent, as the time was over before' };
const NOT_SENT_AFTER_CLOSE: Fate = { kind: 'not_written', detail: 'not sent, as the client is closed' };
const NOT_SENT_AFTER_UNKNOWN: Fate = {
  kind: 'not_written',
  detail: 'not sent, as the fate of an earlier message is unknown',
};

/**
 * Publishes to the partitions of one leader, one Produce request at a time. A lane has a producer of its own, because
 * an error makes the library give up the producer id, and one dead leader must not do that to the others.
 */
export const createLane = (newProducer: () => Closable<Producer<string, string, string, string>>): Lane => {
  let producer: ReturnType<typeof newProducer> | null = null;
  let tail: Promise<unknown> = Promise.resolve();
  let closed = false;
  let stale = false;

  /** Gives up the producer and its connections: what is in flight on them is not waited for, and never retried. */
  const abandon = (): void => {
    void producer?.close();
    producer = null;
  };

  const send = async (topic: Topic, messages: readonly RoutedMessage[], deadline: number): Promise<Fate[]> => {
    const remainingMs = deadline - performance.now();
    if (closed) return messages.map(() => NOT_SENT_AFTER_CLOSE);
    if (remainingMs <= 0) return messages.map(() => NOT_SENT_IN_TIME);
    if (stale) abandon();
    stale = false;
    producer ??= newProducer();
    try {
      const result = await withinMs(
        remainingMs,
        producer.client.send({
          messages: messages.map(({ message, partition }) => ({ topic: topic.name, partition, ...message })),
        }),
      );
      const bases = new Map(result.offsets?.map(({ partition, offset }) => [partition, Number(offset)]));
      return fatesFromBases(messages, bases, { kind: 'unknown', detail: 'the broker named no offset' });
    } catch (error) {
      const refused = isCertainlyNotWritten(error);
      if (!refused) abandon();
      const lost: Fate = { kind: refused ? 'not_written' : 'unknown', detail: describeError(error) };
      const fates = fatesFromBases(messages, basesOfPartialFailure(error), lost);
      return refused && protocolErrorsOf(error).includes('MESSAGE_TOO_LARGE')
        ? await sendRefusedInHalves(topic, messages, fates, deadline)
        : fates;
    }
  };

  /** Kafka refuses a record batch whole for one record that is too large: without it, the others get through. */
  const sendRefusedInHalves = async (
    topic: Topic,
    messages: readonly RoutedMessage[],
    fates: readonly Fate[],
    deadline: number,
  ): Promise<Fate[]> => {
    const result = [...fates];
    const refused = fates.flatMap((fate, index) => (fate.kind === 'acknowledged' ? [] : [index]));
    if (refused.length < 2) return result;
    const half = Math.ceil(refused.length / 2);
    for (const part of [refused.slice(0, half), refused.slice(half)]) {
      const again = await send(
        topic,
        part.flatMap((index) => messages.slice(index, index + 1)),
        deadline,
      );
      again.forEach((fate, i) => result.splice(part[i] ?? 0, 1, fate));
    }
    return result;
  };

  const sendInChunks = async (topic: Topic, messages: readonly RoutedMessage[], deadline: number): Promise<Fate[]> => {
    const fates: Fate[] = [];
    for (const chunk of chunks(messages)) {
      // Nothing may overtake a message whose fate is unknown, so what comes after it is not sent at all.
      const stopped = fates.some((fate) => fate.kind === 'unknown');
      fates.push(...(stopped ? chunk.map(() => NOT_SENT_AFTER_UNKNOWN) : await send(topic, chunk, deadline)));
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
    renew() {
      stale = true;
    },
    async close() {
      await withinMs(CLOSE_MS, tail).catch(() => {});
      closed = true;
      await producer?.close();
    },
  };
};

/** Splits so that no send has more than a record batch's worth of bytes for one partition. */
function* chunks(messages: readonly RoutedMessage[]): Generator<RoutedMessage[]> {
  let chunk: RoutedMessage[] = [];
  let bytes = new Map<number, number>();
  for (const routed of messages) {
    const size = sizeOf(routed.message);
    const sum = (bytes.get(routed.partition) ?? 0) + size;
    if (sum > MAX_PARTITION_BYTES && sum > size) {
      yield chunk;
      chunk = [];
      bytes = new Map([[routed.partition, size]]);
    } else {
      bytes.set(routed.partition, sum);
    }
    chunk.push(routed);
  }
  if (chunk.length > 0) yield chunk;
}

const sizeOf = ({ key, value, headers }: Message): number =>
  Object.entries(headers).reduce(
    (sum, [name, text]) => sum + name.length + Buffer.byteLength(text) + 4,
    Buffer.byteLength(key) + Buffer.byteLength(value) + RECORD_OVERHEAD_BYTES,
  );

/** A partition's messages of one send get consecutive offsets from the base that the broker names. */
const fatesFromBases = (
  messages: readonly RoutedMessage[],
  bases: ReadonlyMap<number, number>,
  otherwise: Fate,
): Fate[] => {
  const next = new Map(bases);
  return messages.map(({ partition }) => {
    const offset = next.get(partition);
    if (offset === undefined || offset < 0) return otherwise;
    next.set(partition, offset + 1);
    return { kind: 'acknowledged', partition, offset };
  });
};

/** In an answer that refuses some partitions, the others stand as written. */
const basesOfPartialFailure = (error: unknown): ReadonlyMap<number, number> => {
  const bases = new Map<number, number>();
  if (error instanceof ResponseError) {
    // Other requests that a send takes, as for a producer id, fail with responses of other forms.
    const { responses } = (error as unknown as { response: Partial<ProduceResponse> }).response;
    for (const { partitionResponses } of responses ?? []) {
      for (const { index, errorCode, baseOffset } of partitionResponses) {
        if (errorCode === 0) bases.set(index, Number(baseOffset));
      }
    }
  } else if (error instanceof MultipleErrors) {
    for (const attempt of error.errors)
      for (const [partition, base] of basesOfPartialFailure(attempt)) bases.set(partition, base);
  }
  return bases;
};

interface ProduceResponse {
  responses: { partitionResponses: { index: number; errorCode: number; baseOffset: bigint }[] }[];
}
