import { kafkaStarter } from './apache_kafka.ts';

/** The Kafka that all test files of `npm test` share; without one, the options of node:test that skip a test. */
export function kafkaForTests(): { bootstrapServers: string } | { skip: string } {
  const bootstrapServers = process.env['TEST_KAFKA_BOOTSTRAP_SERVERS'];
  return bootstrapServers ? { bootstrapServers } : skip(process.env['TEST_KAFKA_SKIP'] ?? 'npm test starts a Kafka');
}

/** For tests that kill and pause a broker which they start themselves. */
export async function ownKafkaForTests(): Promise<{ skip: string | false }> {
  const reason = process.env['TEST_KAFKA_SKIP'];
  if (reason) return skip(reason);
  const starter = await kafkaStarter();
  return starter.kind === 'none' ? skip(starter.reason) : { skip: false };
}

function skip(reason: string): { skip: string } {
  if (process.env['REQUIRE_KAFKA'] === '1') throw new Error(`REQUIRE_KAFKA=1, but ${reason}`);
  return { skip: reason };
}
