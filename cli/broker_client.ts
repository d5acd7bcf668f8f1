import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Broker, Topic } from '#kafka_common/broker.ts';
import { type Config, describeBroker, readConfig } from '#kafka_common/config.ts';
import { EMBEDDED_LOG_FILE } from '#kafka_common/embedded/log.ts';
import { createBroker } from '#kafka_common/kafka_factory.ts';
import { unreachable } from './failures.ts';

export interface OpenTopic {
  readonly config: Config;
  readonly broker: Broker;
  readonly topic: Topic;
  readonly close: () => Promise<void>;
}

/** Opens a topic of the broker that the services' settings name. @throws Failure, BrokerError, ConfigError */
export const openTopic = async (name?: string): Promise<OpenTopic> => {
  const config = readConfig(process.env);
  const where = describeBroker(config);
  // To open the embedded log would create it.
  if (config.kafkaBootstrapServers.length === 0 && !existsSync(join(config.dataDir, EMBEDDED_LOG_FILE)))
    throw unreachable(
      `there is no ${where.replace(/^the /, '')}; set DATA_DIR or KAFKA_BOOTSTRAP_SERVERS as for the services`,
    );
  const broker = await createBroker(config, 'order-events-cli');
  try {
    const topicName = name ?? config.ordersTopic;
    const topic = await broker.describeTopic(topicName);
    if (topic === null)
      throw unreachable(
        `${where} has no topic ${topicName}; check the name, or start the services, which create theirs`,
      );
    return { config, broker, topic, close: () => broker.close() };
  } catch (error) {
    await broker.close();
    throw error;
  }
};
