import type { Broker } from './broker.ts';
import type { Config } from './config.ts';

/**
 * Apache Kafka if bootstrap servers are set, else the embedded broker. Only the chosen one's code is loaded. Connects to
 * nothing yet.
 * @throws StoreError if the embedded broker's files cannot be used
 */
export const createBroker = async (config: Config, clientId: string): Promise<Broker> => {
  if (config.kafkaBootstrapServers.length > 0) {
    const { createKafkaBroker } = await import('#kafka_common/kafka/kafka_broker.ts');
    return createKafkaBroker({ bootstrapServers: config.kafkaBootstrapServers, clientId });
  }
  const { createEmbeddedBroker } = await import('#kafka_common/embedded/embedded_broker.ts');
  return createEmbeddedBroker({ directory: config.dataDir });
};
