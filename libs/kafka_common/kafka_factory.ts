import type { Broker } from './broker.ts';
import type { Config } from './config.ts';

/**
 * Apache Kafka where bootstrap servers are set, the embedded broker otherwise; only that one is loaded. Connects to
 * nothing yet. @throws StoreError where the embedded broker's file cannot be used
 */
export const createBroker = async (config: Config, clientId: string): Promise<Broker> => {
  if (config.kafkaBootstrapServers.length > 0) {
    const { createKafkaBroker } = await import('#kafka_common/kafka/kafka_broker.ts');
    return createKafkaBroker({ bootstrapServers: config.kafkaBootstrapServers, clientId });
  }
  const { createEmbeddedBroker } = await import('#kafka_common/embedded/embedded_broker.ts');
  return createEmbeddedBroker({ directory: config.dataDir });
};
