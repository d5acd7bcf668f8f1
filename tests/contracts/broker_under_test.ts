import type { TestOptions } from 'node:test';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { createKafkaBroker } from '#kafka_common/kafka/kafka_broker.ts';

/** The place of a broker. It is plain data, so a child process can be a client too, unless the broker is in memory. */
export type BrokerAddress =
  | { readonly kind: 'embedded'; readonly directory: string }
  | { readonly kind: 'kafka'; readonly bootstrapServers: readonly string[] }
  | { readonly kind: 'in_memory'; connect(): InMemoryClient };

export interface InMemoryClient {
  readonly broker: Broker;
  /** Cuts it off as the death of its process would: nothing goes out or comes in any more. */
  kill(): void;
}

/** A client of the broker. Each one stands for a process of its own. */
export const openBroker = (address: BrokerAddress): Broker => {
  if (address.kind === 'in_memory') return address.connect().broker;
  return address.kind === 'embedded'
    ? createEmbeddedBroker({ directory: address.directory })
    : createKafkaBroker({ bootstrapServers: address.bootstrapServers, clientId: 'broker-contract' });
};

export interface BrokerUnderTest {
  readonly address: BrokerAddress;
  stop(): Promise<void>;
}

/** A broker that its clients can lose. */
export interface BreakableBroker extends BrokerUnderTest {
  /** Like `kill -9`. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** It keeps its connections and answers nothing. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** A client of another make, that writes to one topic in transactions, one after the other. */
export interface TransactionalProducer {
  begin(): Promise<{
    /** The key decides the partition, as for a broker's `publish`. */
    send(messages: readonly { readonly key: string; readonly value: string }[]): Promise<void>;
    commit(): Promise<void>;
    abort(): Promise<void>;
  }>;
  close(): Promise<void>;
}

/** The true differences between brokers. A feature that is left out is not tested. */
export interface BrokerFeatures {
  /** After at most this many milliseconds, another member owns the partitions of a killed one. */
  readonly takeoverMs: number;
  deleteTopic(address: BrokerAddress, name: string): Promise<void>;
  /** Gives the topic so many partitions. Left out if the broker cannot. */
  addPartitions?(address: BrokerAddress, topic: Topic, partitions: number): Promise<void>;
  /** Makes the log go on at a higher offset. Left out if offsets are always consecutive. */
  addGap?(address: BrokerAddress, topic: Topic, partition: number): Promise<void>;
  /** Left out if the broker knows no transactions. */
  transactionalProducer?(address: BrokerAddress, topic: Topic): Promise<TransactionalProducer>;
  /** Left out if the broker is not a process of its own, so that it cannot be lost. */
  readonly outages?: {
    readonly options: TestOptions;
    /** An address where nothing answers. */
    readonly nowhere: BrokerAddress;
    start(): Promise<BreakableBroker>;
  };
}
