import { BrokerError, type Topic } from '#kafka_common/broker.ts';
import type { Cluster } from './cluster.ts';
import { ask, type Node, type Reply, type Wire } from './nodes.ts';

/** A client of a cluster: how it reaches the brokers, and what it knows of topics and leaders. */
export interface Client {
  readonly cluster: Cluster;
  readonly wire: Wire;
  readonly heartbeatMs: number;
  /** Asks any broker. @throws BrokerError `UNAVAILABLE` */
  question<T>(serve: () => T, timeoutMs?: number): Promise<T>;
  /** @throws BrokerError `UNAVAILABLE` */
  describe(name: string, timeoutMs?: number): Promise<Topic | null>;
  /** @throws BrokerError `UNAVAILABLE`, `TOPIC_MISSING` */
  existing(name: string): Promise<Topic>;
  /** The leaders of the topic's partitions, as last described. */
  leadersOf(name: string): readonly number[] | undefined;
  /** The id of the partition's leader, or -1 if it is not known. */
  leaderOf(name: string, partition: number): number;
  leader(topic: Topic, partition: number): Node | undefined;
}

/** For every request that is not a publish. */
export const QUESTION_MS = 4_000;

export const createClient = (cluster: Cluster, wire: Wire, heartbeatMs: number): Client => {
  const leaders = new Map<string, readonly number[]>();

  const question: Client['question'] = async (serve, timeoutMs = QUESTION_MS) =>
    valueOf(await ask(wire, cluster.anyNode(), timeoutMs, (answer) => answer(serve())));

  const describe: Client['describe'] = async (name, timeoutMs) => {
    const found = await question(() => cluster.describe(name), timeoutMs);
    if (found === null) return null;
    leaders.set(name, found.leaders);
    return found.topic;
  };

  const existing: Client['existing'] = async (name) => {
    const topic = await describe(name);
    if (topic === null) throw new BrokerError('TOPIC_MISSING', `topic ${name} does not exist`);
    return topic;
  };

  const leaderOf = (name: string, partition: number): number => leaders.get(name)?.[partition] ?? -1;

  return {
    cluster,
    wire,
    heartbeatMs,
    question,
    describe,
    existing,
    leadersOf: (name) => leaders.get(name),
    leaderOf,
    leader: ({ name }, partition) => cluster.nodes[leaderOf(name, partition)],
  };
};

/** @throws BrokerError `UNAVAILABLE` if there was no answer */
export const valueOf = <T>(reply: Reply<T>): T => {
  if (reply.kind !== 'answered') throw unavailable();
  return reply.value;
};

export const unavailable = (): BrokerError => new BrokerError('UNAVAILABLE', 'the connection was lost');
