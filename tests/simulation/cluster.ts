import { type Fate, type Message, type Topic } from '#kafka_common/broker.ts';
import { headerList } from '#kafka_common/header_list.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { type Coordinator, createCoordinator } from './coordinator.ts';
import { arriveAt, createNodes, type Node } from './nodes.ts';
import {
  createPartitionLog,
  type FetchedRecords,
  type PartitionLog,
  type StoredRecord,
  type Transaction,
} from './partition_log.ts';
import type { Weather } from './weather.ts';

interface StoredTopic {
  topic: Topic;
  maxMessageBytes: number;
  readonly leaders: number[];
  readonly partitions: PartitionLog[];
  /** Calls back the fetches that wait for records. */
  readonly waiting: Set<() => void>;
}

export type Fetched =
  | ({ readonly kind: 'records' } & FetchedRecords)
  | { readonly kind: 'out_of_range' }
  | { readonly kind: 'not_leader' }
  | { readonly kind: 'topic_missing' };

export interface ClusterOptions {
  readonly nodes: number;
  readonly weather: Weather;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly newTopicId: () => string;
  /** A member without a heartbeat for this long is taken for dead. */
  readonly sessionMs: number;
  /** Called when a group has committed an offset. */
  readonly onCommit?: (partition: number, next: number) => void;
}

const MAX_MESSAGE_BYTES = 1024 * 1024;

/** The brokers of a cluster and their logs. Clients reach them over their wires. */
export const createCluster = (options: ClusterOptions) => {
  const { weather } = options;
  const nodes = createNodes(options.nodes);
  const topics = new Map<string, StoredTopic>();
  /** The producers that have an open transaction. */
  const busyProducers = new Set<bigint>();
  /** Grows each time that everything on its way is lost for good. */
  let storms = 0;
  /** How many messages will still be written late. */
  let onTheirWay = 0;

  const coordinator: Coordinator = createCoordinator({
    sessionMs: options.sessionMs,
    isUp: () => nodes.some(({ state }) => state === 'up'),
    onCommit: options.onCommit ?? (() => {}),
  });

  /** The node that answers a question that any node can answer. */
  const anyNode = (): Node => {
    const node =
      nodes.find(({ state }) => state === 'up') ?? nodes.find(({ state }) => state === 'stopped') ?? nodes[0];
    if (node === undefined) throw new Error('the cluster has no nodes');
    return node;
  };

  const append = (
    stored: StoredTopic,
    message: Message,
    {
      bytes,
      transaction = null,
      partitionCount = stored.partitions.length,
    }: { readonly bytes?: Buffer; readonly transaction?: Transaction | null; readonly partitionCount?: number } = {},
  ): Fate => {
    const { partitions } = stored;
    const partition = partitionOf(message.key, partitionCount);
    const log = partitions[partition];
    if (log === undefined) throw new Error(`partition ${partition} is missing`);
    const offset = log.append({
      timestamp: options.clock(),
      key: Buffer.from(message.key),
      value: bytes ?? Buffer.from(message.value),
      headers: headerList(message.headers),
      writtenAt: performance.now(),
      transaction,
      isMarker: false,
    });
    wakeAll(stored);
    return { kind: 'acknowledged', partition, offset };
  };

  const later = (node: Node, ms: number, topic: Topic, messages: readonly Message[]): void => {
    const storm = storms;
    onTheirWay += messages.length;
    const land = (): void => {
      const stored = topics.get(topic.name);
      if (storm !== storms || stored?.topic.id !== topic.id) return;
      // As it was sent: by the partitions of that time. The limit is that of now.
      for (const message of messages)
        if (sizeOf(message) <= stored.maxMessageBytes) append(stored, message, { partitionCount: topic.partitions });
    };
    setTimeout(() => {
      onTheirWay -= messages.length;
      arriveAt(node, land);
    }, ms);
  };

  const treat = (node: Node, stored: StoredTopic, messages: readonly Message[]): Fate[] => {
    const treatment = weather.treat(node.id);
    const written = (): Fate[] => messages.map((message) => append(stored, message));
    switch (treatment.kind) {
      case 'written':
        return written();
      case 'refused':
        return messages.map(() => notWritten('the broker refused it'));
      case 'lost':
        return messages.map(() => UNKNOWN);
      case 'ack_lost':
        return written().map(() => UNKNOWN);
      case 'late':
        later(node, treatment.ms, stored.topic, messages);
        return messages.map(() => UNKNOWN);
      case 'twice':
        later(node, treatment.ms, stored.topic, messages);
        return written();
      default: {
        const rest = treatment.rest === 'lost' ? UNKNOWN : notWritten('the broker refused it');
        return messages.map((message, index) => (index < treatment.written ? append(stored, message) : rest));
      }
    }
  };

  /** Takes the messages of one request and answers the fate of each, unless the node keeps silent. */
  const produce = (
    node: Node,
    topic: Topic,
    messages: readonly Message[],
    sentIn: number,
    answer: (fates: Fate[]) => void,
  ): void => {
    if (sentIn !== storms) return;
    const stored = topics.get(topic.name);
    const fates: Fate[] = messages.map(() => ({
      ...notWritten('the topic does not exist, or was created again'),
      fault: 'topic',
    }));
    if (stored?.topic.id === topic.id && stored.topic.partitions === topic.partitions) {
      const byPartition = Map.groupBy(messages.keys(), (index) =>
        partitionOf(messages[index]?.key ?? '', topic.partitions),
      );
      for (const [partition, indexes] of byPartition) {
        const fitting = indexes.filter((index) => sizeOf(messages[index]) <= stored.maxMessageBytes);
        const isLeader = stored.leaders[partition] === node.id;
        for (const index of indexes)
          fates[index] = isLeader
            ? { kind: 'not_written', detail: 'the message is too large', fault: 'message' }
            : notWritten('not the leader');
        if (!isLeader) continue;
        const results = treat(
          node,
          stored,
          fitting.flatMap((index) => messages.slice(index, index + 1)),
        );
        fitting.forEach((index, n) => (fates[index] = results[n] ?? UNKNOWN));
      }
    }
    if (fates.some(({ kind }) => kind === 'unknown') && weather.isSilent(node.id)) return;
    const delayMs = weather.delayMs(node.id);
    if (delayMs > 0) setTimeout(() => arriveAt(node, () => answer(fates)), delayMs);
    else answer(fates);
  };

  /** Answers once there is a record at or after `from`, or something is wrong. */
  const fetch = (
    node: Node,
    topic: Topic,
    partition: number,
    from: number,
    answer: (fetched: Fetched) => void,
  ): void => {
    const stored = topics.get(topic.name);
    const log = stored?.partitions[partition];
    if (stored === undefined || log === undefined || stored.topic.id !== topic.id) answer({ kind: 'topic_missing' });
    else if (stored.leaders[partition] !== node.id) answer({ kind: 'not_leader' });
    else if (from > log.records.length) answer({ kind: 'out_of_range' });
    else if (from === log.records.length) stored.waiting.add(() => fetch(node, topic, partition, from, answer));
    else answer({ kind: 'records', ...log.from(from, weather.batchRecords()) });
  };

  return {
    nodes,
    weather,
    coordinator,
    anyNode,
    produce,
    fetch,

    describe: (name: string): { readonly topic: Topic; readonly leaders: readonly number[] } | null => {
      const stored = topics.get(name);
      return stored === undefined ? null : { topic: stored.topic, leaders: [...stored.leaders] };
    },

    create: (name: string, partitions: number): void => {
      if (topics.has(name)) return;
      topics.set(name, {
        topic: { name, id: options.newTopicId(), partitions },
        maxMessageBytes: MAX_MESSAGE_BYTES,
        leaders: Array.from({ length: partitions }, (_, partition) => partition % nodes.length),
        partitions: Array.from({ length: partitions }, createPartitionLog),
        waiting: new Set(),
      });
    },

    addPartitions: (name: string, partitions: number): void => {
      const stored = topics.get(name);
      if (stored === undefined) return;
      for (let partition = stored.topic.partitions; partition < partitions; partition++) {
        stored.leaders.push(partition % nodes.length);
        stored.partitions.push(createPartitionLog());
      }
      stored.topic = { ...stored.topic, partitions: stored.partitions.length };
    },

    /** From now on larger messages are refused, again and again. */
    limit: (name: string, maxMessageBytes: number): void => {
      const stored = topics.get(name);
      if (stored) stored.maxMessageBytes = maxMessageBytes;
    },

    deleteTopic: (name: string): void => {
      const stored = topics.get(name);
      topics.delete(name);
      if (stored) wakeAll(stored);
    },

    /** From now on another broker leads the partition. */
    lead: (name: string, partition: number, node: number): void => {
      const stored = topics.get(name);
      if (stored?.leaders[partition] === undefined) return;
      stored.leaders[partition] = node;
      wakeAll(stored);
    },

    /** Loses for good what is on its way or was to be written late. */
    calm: (): void => void (storms += 1),

    /** The storm in which requests are sent now, for `produce`. */
    get storm() {
      return storms;
    },

    get onTheirWay() {
      return onTheirWay;
    },

    /** Writes a message of another producer. @param of its transaction, and a value in place of the message's own */
    write: (name: string, message: Message, of?: { bytes?: Buffer; transaction?: Transaction }): void => {
      const stored = topics.get(name);
      if (stored) append(stored, message, of);
    },

    /** A transaction of a producer that has none open: usually one that has ended others. */
    beginTransaction: (): Transaction => {
      let producerId = 1n;
      while (busyProducers.has(producerId)) producerId += 1n;
      busyProducers.add(producerId);
      return { producerId, state: 'open' };
    },

    /** Writes the markers to all partitions that have records of the transaction. */
    endTransaction: (name: string, transaction: Transaction, state: 'committed' | 'aborted'): void => {
      transaction.state = state;
      busyProducers.delete(transaction.producerId);
      const stored = topics.get(name);
      for (const log of stored?.partitions ?? []) log.end(transaction, options.clock());
      if (stored) wakeAll(stored);
    },

    /** All records, also those that no reader gets. */
    log: (name: string): readonly (readonly StoredRecord[])[] =>
      topics.get(name)?.partitions.map(({ records }) => records) ?? [],
  };
};

export type Cluster = ReturnType<typeof createCluster>;

/** Lets the waiting fetches look again. */
const wakeAll = ({ waiting }: StoredTopic): void => {
  const woken = [...waiting];
  waiting.clear();
  for (const wake of woken) wake();
};

const notWritten = (detail: string): Fate => ({ kind: 'not_written', detail });

const UNKNOWN: Fate = { kind: 'unknown', detail: 'the connection was lost' };

const sizeOf = (message: Message | undefined): number =>
  message === undefined
    ? 0
    : Buffer.byteLength(message.key) +
      Buffer.byteLength(message.value) +
      headerList(message.headers).reduce((sum, [name, value]) => sum + name.length + (value?.length ?? 0), 0);
