import { type Broker, type Fate, type Message, type Topic } from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import type { Cluster } from './cluster.ts';
import { ask, type Node, type Reply, type Wire } from './nodes.ts';
import { createClient, QUESTION_MS, unavailable, valueOf } from './simulated_client.ts';
import { consumeSimulated } from './simulated_consumer.ts';
import { readSimulated } from './simulated_read.ts';

/** A client of a simulated cluster, as the services know it: a broker. */
export const connectTo = (cluster: Cluster, wire: Wire, heartbeatMs = 3_000): Broker => {
  const client = createClient(cluster, wire, heartbeatMs);
  const { question, describe, existing, leadersOf, leaderOf, leader } = client;
  const lanes = new Map<number, Promise<unknown>>();

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
    // Another broker may lead the partition now: the next publish has to know.
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
      if (leadersOf(topic.name) === undefined) await describe(topic.name, timeoutMs).catch(() => {});
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
      if (node === undefined || !leadersOf(topic.name)?.includes(id)) return;
      valueOf(await ask<true>(wire, node, timeoutMs, (answer) => answer(true)));
    },

    read: (name, from, stallMs) => readSimulated(client, bounds, name, from, stallMs),
    consume: (options) => consumeSimulated(client, options),

    async committed(group, name) {
      const topic = await existing(name);
      return await question(() => cluster.coordinator.committed(group, topic));
    },

    async assignedIn(group, name) {
      const topic = await existing(name);
      return await question(() => cluster.coordinator.assigned(group, topic));
    },

    bounds,
    topicWarnings: async () => [],
    close: async () => {},
  };
};

const NOT_SENT: Fate = { kind: 'not_written', detail: 'no connection could be made' };

const fatesOf = (reply: Reply<Fate[]>, messages: readonly Message[]): Fate[] => {
  if (reply.kind === 'answered') return reply.value;
  return messages.map(() => (reply.kind === 'refused' ? NOT_SENT : { kind: 'unknown', detail: 'no answer came' }));
};

const partitionsOf = ({ partitions }: Topic): number[] =>
  Array.from({ length: partitions }, (_, partition) => partition);
