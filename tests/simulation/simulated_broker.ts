import { type Broker, BrokerError, type Fate, type Message, type Topic } from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import type { Cluster } from './cluster.ts';
import { ask, type Node, type Reply, type Wire } from './nodes.ts';
import { consumeSimulated } from './simulated_consumer.ts';

/** What clients of a cluster share: how to reach it, and what they know of it. */
export interface Client {
  readonly cluster: Cluster;
  readonly wire: Wire;
  readonly heartbeatMs: number;
  /** By topic and partition, as far as known. */
  readonly leaders: Map<string, readonly number[]>;
  /** Asks any broker. @throws BrokerError `UNAVAILABLE` */
  question<T>(serve: () => T, timeoutMs?: number): Promise<T>;
  /** @throws BrokerError `UNAVAILABLE` */
  describe(name: string, timeoutMs?: number): Promise<Topic | null>;
  /** @throws BrokerError `UNAVAILABLE`, `TOPIC_MISSING` */
  existing(name: string): Promise<Topic>;
  leader(topic: Topic, partition: number): Node | undefined;
}

/** Of a question that is no publish. */
const QUESTION_MS = 4_000;

const unavailable = (): BrokerError => new BrokerError('UNAVAILABLE', 'the connection was lost');

/** A client of a simulated cluster: a broker as the services know it. */
export const connectTo = (cluster: Cluster, wire: Wire, heartbeatMs = 3_000): Broker => {
  const leaders: Client['leaders'] = new Map();
  const lanes = new Map<number, Promise<unknown>>();

  const question: Client['question'] = async (serve, timeoutMs = QUESTION_MS) =>
    valueOf(await ask(wire, cluster.anyNode(), timeoutMs, (answer) => answer(serve())));

  const describe: Client['describe'] = async (name, timeoutMs) => {
    const found = await question(() => cluster.describe(name), timeoutMs);
    if (found === null) return null;
    leaders.set(name, found.leaders);
    return found.topic;
  };

  const existing = async (name: string): Promise<Topic> => {
    const topic = await describe(name);
    if (topic === null) throw new BrokerError('TOPIC_MISSING', `topic ${name} does not exist`);
    return topic;
  };

  const leaderOf = (name: string, partition: number): number => leaders.get(name)?.[partition] ?? -1;

  const leader = ({ name }: Topic, partition: number): Node | undefined => cluster.nodes[leaderOf(name, partition)];

  const client: Client = { cluster, wire, heartbeatMs, leaders, question, describe, existing, leader };

  const send = async (
    node: Node | undefined,
    topic: Topic,
    messages: readonly Message[],
    deadline: number,
  ): Promise<Fate[]> => {
    const remainingMs = deadline - performance.now();
    if (node === undefined || remainingMs <= 0) return messages.map(() => NOT_SENT);
    const { storm } = cluster;
    const reply = await ask<Fate[]>(wire, node, remainingMs, (answer) =>
      cluster.produce(node, topic, messages, storm, answer),
    );
    const fates = fatesOf(reply, messages);
    // Another broker may lead the partition now; who asks next shall know.
    if (fates.some(({ kind }) => kind !== 'acknowledged')) void describe(topic.name).catch(() => {});
    return fates;
  };

  const bounds = async (name: string): Promise<Map<number, { start: number; end: number }>> => {
    const topic = await existing(name);
    const ends = await Promise.all(
      partitionsOf(topic).map(async (partition) => {
        const node = leader(topic, partition);
        if (node === undefined) throw unavailable();
        const reply = await ask<number>(wire, node, QUESTION_MS, (answer) =>
          answer(cluster.log(name)[partition]?.length ?? 0),
        );
        return [partition, { start: 0, end: valueOf(reply) }] as const;
      }),
    );
    return new Map(ends);
  };

  return {
    async ensureTopic(name, partitions) {
      const found = await describe(name);
      if (found !== null) return found;
      await question(() => cluster.create(name, partitions));
      return await existing(name);
    },
    describeTopic: (name) => describe(name),
    leaderOf,

    async publish(topic, messages, timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      const fates: Fate[] = messages.map(() => NOT_SENT);
      if (!leaders.has(topic.name)) await describe(topic.name, timeoutMs).catch(() => {});
      const byLeader = Map.groupBy(messages.keys(), (index) =>
        leaderOf(topic.name, partitionOf(messages[index]?.key ?? '', topic.partitions)),
      );
      await Promise.all(
        Array.from(byLeader, async ([id, indexes]) => {
          const share = indexes.flatMap((index) => messages.slice(index, index + 1));
          const sent = (lanes.get(id) ?? Promise.resolve()).then(() => send(cluster.nodes[id], topic, share, deadline));
          lanes.set(id, sent);
          const results = await sent;
          indexes.forEach((index, n) => (fates[index] = results[n] ?? NOT_SENT));
        }),
      );
      return fates;
    },

    async probe(name, id, timeoutMs) {
      const topic = await existing(name);
      const node = cluster.nodes[id];
      if (node === undefined || !leaders.get(topic.name)?.includes(id)) return;
      valueOf(await ask<true>(wire, node, timeoutMs, (answer) => answer(true)));
    },

    async *read(name, from) {
      const topic = await existing(name);
      for (const [partition, { end }] of await bounds(name)) {
        const asked = from.get(partition) ?? 0;
        let next = asked > end ? 0 : asked;
        while (next < end) {
          const node = leader(topic, partition);
          if (node === undefined) throw unavailable();
          const position = next;
          const fetched = valueOf(
            await ask<Parameters<Parameters<Cluster['fetch']>[4]>[0]>(wire, node, QUESTION_MS, (answer) =>
              cluster.fetch(node, topic, partition, position, answer),
            ),
          );
          if (fetched.kind !== 'records') throw unavailable();
          const records = fetched.records.filter(({ offset }) => offset < end);
          next += records.length;
          yield { topic, partition, records, next, end: fetched.end };
        }
      }
    },

    consume: (options) => consumeSimulated(client, options),

    async committed(group, name) {
      const topic = await existing(name);
      return await question(() => cluster.coordinator.committed(group, topic));
    },

    bounds,
    close: async () => {},
  };
};

/** @throws BrokerError `UNAVAILABLE` where there was no answer */
export const valueOf = <T>(reply: Reply<T>): T => {
  if (reply.kind !== 'answered') throw unavailable();
  return reply.value;
};

const NOT_SENT: Fate = { kind: 'not_written', detail: 'no connection could be made' };

const fatesOf = (reply: Reply<Fate[]>, messages: readonly Message[]): Fate[] => {
  if (reply.kind === 'answered') return reply.value;
  return messages.map(() => (reply.kind === 'refused' ? NOT_SENT : { kind: 'unknown', detail: 'no answer came' }));
};

const partitionsOf = ({ partitions }: Topic): number[] =>
  Array.from({ length: partitions }, (_, partition) => partition);
