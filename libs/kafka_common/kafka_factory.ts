import type { Logger } from 'pino';
import type { Broker } from './broker.ts';
import type { Config } from './config.ts';

/** Short, because the event loop stands still meanwhile, and a signal to stop is waiting. */
const OPENING_MS = 100;

/**
 * Apache Kafka if bootstrap servers are set, else the embedded broker. Only the chosen one's code is loaded. Connects to
 * nothing yet.
 * @param logger gets a line, at once and every five seconds, while another process holds a file of the embedded broker
 * locked. Without it, that is an error after five seconds
 * @throws StoreError if the embedded broker's files cannot be used
 */
export const createBroker = async (config: Config, clientId: string, logger?: Logger): Promise<Broker> => {
  if (config.kafkaBootstrapServers.length > 0) {
    const { createKafkaBroker } = await import('#kafka_common/kafka/kafka_broker.ts');
    return createKafkaBroker({ bootstrapServers: config.kafkaBootstrapServers, clientId });
  }
  const { createEmbeddedBroker } = await import('#kafka_common/embedded/embedded_broker.ts');
  const directory = config.dataDir;
  if (logger === undefined) return createEmbeddedBroker({ directory });
  const { whenUnlocked } = await import('#kafka_common/embedded/when_unlocked.ts');
  return whenUnlocked(
    () => createEmbeddedBroker({ directory, openingMs: OPENING_MS }),
    (reason) => logger.warn({ reason }, 'waiting for the embedded broker: another process holds its file locked'),
  );
};
