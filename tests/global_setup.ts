/**
 * Starts the Kafka that all test files share. `node --test --test-global-setup` runs it, and ends it after the last
 * test.
 */
import { KAFKA_VERSION, type KafkaBroker, kafkaAvailability, startKafka } from '#tests/kafka/apache_kafka.ts';

let started: KafkaBroker | undefined;

export async function globalSetup(): Promise<void> {
  try {
    process.env['TEST_KAFKA_BOOTSTRAP_SERVERS'] = await bootstrapServers();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (process.env['REQUIRE_KAFKA'] === '1') throw error;
    process.env['TEST_KAFKA_SKIP'] = reason;
    console.log(`The Kafka tests are SKIPPED: ${reason}`);
  }
}

export async function globalTeardown(): Promise<void> {
  await started?.stop();
}

async function bootstrapServers(): Promise<string> {
  const kafka = await kafkaAvailability();
  if (kafka.kind === 'given') return kafka.bootstrapServers;
  if (kafka.kind === 'none') throw new Error(kafka.reason);
  console.log(`Starting Apache Kafka ${KAFKA_VERSION} for the tests; it is downloaded first if it is not here yet.`);
  started = await startKafka();
  return started.bootstrapServers;
}
