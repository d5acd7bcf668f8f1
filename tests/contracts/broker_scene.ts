import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import {
  type Broker,
  BrokerError,
  type BrokerErrorCode,
  type ConsumeOptions,
  type Message,
  type Topic,
} from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { eventually } from '#tests/support/eventually.ts';
import { type BrokerAddress, type InMemoryClient, openBroker } from './broker_under_test.ts';
import { messagesOf, type ReadMessage } from './messages.ts';
import { type ClientTask, type ClientReport, runClient } from './client_tasks.ts';

export const message = (key: string, value = '', headers: Record<string, string> = {}): Message => ({
  key,
  value,
  headers,
});

export const messages = (count: number, key: (index: number) => string = (index) => `key-${index}`): Message[] =>
  Array.from({ length: count }, (_, index) => message(key(index), `value-${index}`));

/** A key whose messages go to the partition. */
export const keyOf = (partition: number, partitions: number): string => {
  for (let i = 0; ; i++) if (partitionOf(`key-${i}`, partitions) === partition) return `key-${i}`;
};

/** A running `consume`, and what it has handed to its callbacks. */
export interface Member {
  readonly handled: ReadMessage[];
  readonly lost: { partition: number; wanted: number; resumedAt: number }[];
  /** Null before the first assignment. */
  assigned(): readonly number[] | null;
  /** The error that `consume` rejected with, or undefined. */
  failure(): unknown;
  stop(): Promise<void>;
}

type MemberOptions = Pick<ConsumeOptions, 'group'> & Partial<Pick<ConsumeOptions, 'memberId' | 'startAt' | 'onBatch'>>;

/** Consumes from the committed offsets and records what it handles, unless the options say otherwise. */
const startMember = (broker: Broker, topic: Topic, options: MemberOptions): Member => {
  const stopping = new AbortController();
  const handled: ReadMessage[] = [];
  const lost: Member['lost'] = [];
  let assigned: readonly number[] | null = null;
  let failure: unknown;
  const ended = broker.consume({
    topic: topic.name,
    memberId: 'member',
    startAt: () => broker.committed(options.group, topic.name),
    onAssigned: (partitions) => (assigned = partitions),
    onPositionLost: (position) => lost.push(position),
    signal: stopping.signal,
    ...options,
    onBatch: async (batch) => {
      await options.onBatch?.(batch);
      handled.push(...messagesOf(batch));
    },
  });
  ended.catch((error: unknown) => (failure = error));
  const stop = (): Promise<void> => {
    stopping.abort();
    return ended;
  };
  return { handled, lost, assigned: () => assigned, failure: () => failure, stop };
};

export const untilAssigned = (member: Member, partitions: readonly number[], withinMs?: number): Promise<void> =>
  eventually(() => assert.deepEqual(member.assigned()?.toSorted(), partitions), withinMs);

export const untilHandled = (member: Member, count: number, withinMs?: number): Promise<void> =>
  eventually(() => {
    const seen = { handled: member.handled.length, failure: member.failure() };
    assert.deepEqual(seen, { handled: count, failure: undefined });
  }, withinMs);

/** Waits until `consume` has rejected with this code. */
export const untilFailed = (member: Member, code: BrokerErrorCode, withinMs?: number): Promise<void> =>
  eventually(() => assert(isBrokerError(code)(member.failure()), String(member.failure())), withinMs);

export const isBrokerError =
  (code: BrokerErrorCode) =>
  (error: unknown): boolean =>
    error instanceof BrokerError && error.code === code;

export type Scene = ReturnType<typeof createScene>;

/** Fresh names, and clean-up after the test, so that tests can share a broker. */
export const createScene = (t: TestContext, address: BrokerAddress) => {
  const name = `contract-${randomUUID().slice(0, 8)}`;
  const cleanUps: (() => unknown)[] = [];
  t.after(async () => {
    const failures: unknown[] = [];
    for (const cleanUp of cleanUps.toReversed()) {
      try {
        await cleanUp();
      } catch (error) {
        // The other clean-ups must run too: what they close would keep the process alive for ever.
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  });

  const open = (at: BrokerAddress = address): Broker => {
    const broker = openBroker(at);
    cleanUps.push(() => broker.close());
    return broker;
  };

  return {
    /** The name of a topic that does not exist yet. */
    topicName: name,
    group: `${name}-group`,
    open,
    /** Runs after the test, the last registered first. */
    after: (cleanUp: () => unknown): void => void cleanUps.push(cleanUp),

    topic: (broker: Broker, partitions = 1): Promise<Topic> => broker.ensureTopic(name, partitions),

    member: (broker: Broker, topic: Topic, options: Partial<MemberOptions> = {}): Member => {
      const member = startMember(broker, topic, { group: `${name}-group`, ...options });
      cleanUps.push(() => member.stop().catch(() => {}));
      return member;
    },

    /** A client in a process of its own, which can be killed. For a broker in memory: a client that can be cut off. */
    process: (task: Pick<ClientTask, 'kind'> & Partial<ClientTask>): ClientProcess => {
      const standard = { topic: name, group: `${name}-group`, memberId: 'process' };
      const client = startProcess(address, { ...standard, ...task });
      cleanUps.push(() => client.kill());
      return client;
    },
  };
};

export interface ClientProcess {
  readonly reports: ClientReport[];
  kill(): Promise<void>;
}

const startProcess = (address: BrokerAddress, task: ClientTask): ClientProcess => {
  if (address.kind === 'in_memory') return startInMemory(address.connect(), task);
  const child = fork(join(import.meta.dirname, 'client_process.ts'), [JSON.stringify({ ...task, address })]);
  const exited = once(child, 'exit');
  const reports: ClientReport[] = [];
  child.on('message', (report: ClientReport) => reports.push(report));
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  return { reports, kill };
};

const startInMemory = ({ broker, kill }: InMemoryClient, task: ClientTask): ClientProcess => {
  const reports: ClientReport[] = [];
  // Once it is cut off, its calls may fail. That does not matter.
  runClient(broker, task, (report) => reports.push(report)).catch(() => {});
  return { reports, kill: async () => kill() };
};
