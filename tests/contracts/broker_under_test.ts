import type { TestOptions } from 'node:test';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { createKafkaBroker } from '#kafka_common/kafka/kafka_broker.ts';

/** Where a broker is: as data, so that a child process can be a client of it too, unless it is in this one's memory. */
export type BrokerAddress =
  | { readonly kind: 'embedded'; readonly directory: string }
  | { readonly kind: 'kafka'; readonly bootstrapServers: readonly string[] }
  | { readonly kind: 'in_memory'; connect(): InMemoryClient };

export interface InMemoryClient {
  readonly broker: Broker;
  /** Cuts it off as the death of its process would: nothing goes out or comes in any more. */
  kill(): void;
}

/** A client of the broker; each one stands for a process of its own. */
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

/** A broker that can be taken away from its clients. */
export interface BreakableBroker extends BrokerUnderTest {
  /** As by `kill -9`. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  /** It keeps its connections and answers nothing. */
  pause(): Promise<void>;
  resume(): Promise<void>;
}

/** In what brokers honestly differ. What one leaves out is not tested with it. */
export interface BrokerFeatures {
  /** A killed member's partitions are another's after this many milliseconds at most. */
  readonly takeoverMs: number;
  deleteTopic(address: BrokerAddress, name: string): Promise<void>;
  /** Makes the log go on at a higher offset; left out where offsets are always consecutive. */
  addGap?(address: BrokerAddress, topic: Topic, partition: number): Promise<void>;
  /** Left out where the broker is no process of its own, so that it cannot be lost. */
  readonly outages?: {
    readonly options: TestOptions;
    /** Where nobody answers. */
    readonly nowhere: BrokerAddress;
    start(): Promise<BreakableBroker>;
  };
}
