/**
 * Starts the Kafka and the PostgreSQL that all test files share. `node --test --test-global-setup` runs it, and ends them
 * after the last test.
 */
import { KAFKA_VERSION, type KafkaBroker, kafkaAvailability, startKafka } from '#tests/kafka/apache_kafka.ts';
import { FAST, postgresAvailability } from '#tests/postgres/postgres_for_tests.ts';
import { type PostgresServer, startPostgres } from '#tests/postgres/postgres_server.ts';

let started: KafkaBroker | undefined;
let postgres: PostgresServer | undefined;

export async function globalSetup(): Promise<void> {
  try {
    process.env['TEST_KAFKA_BOOTSTRAP_SERVERS'] = await bootstrapServers();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (process.env['REQUIRE_KAFKA'] === '1') throw error;
    process.env['TEST_KAFKA_SKIP'] = reason;
    console.log(`The Kafka tests are SKIPPED: ${reason}`);
  }
  const availability = await postgresAvailability();
  if (availability.kind !== 'installed') return;
  try {
    postgres = await startPostgres(availability.programs, { settings: FAST });
    process.env['TEST_DATABASE_URL'] = postgres.url;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (process.env['REQUIRE_POSTGRES'] === '1') throw error;
    process.env['TEST_POSTGRES_SKIP'] = `PostgreSQL does not start: ${reason}`;
  }
}

export async function globalTeardown(): Promise<void> {
  await Promise.all([started?.stop(), postgres?.stop()]);
}

async function bootstrapServers(): Promise<string> {
  const kafka = await kafkaAvailability();
  if (kafka.kind === 'given') return kafka.bootstrapServers;
  if (kafka.kind === 'none') throw new Error(kafka.reason);
  console.log(`Starting Apache Kafka ${KAFKA_VERSION} for the tests; it is downloaded first if it is not here yet.`);
  started = await startKafka();
  return started.bootstrapServers;
}
