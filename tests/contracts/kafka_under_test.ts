import { after } from 'node:test';
import { type KafkaBroker, startKafka } from '#tests/kafka/apache_kafka.ts';
import { ownKafkaForTests } from '#tests/kafka/kafka_for_tests.ts';

export const kafkaAt = (bootstrapServers: string) =>
  ({ kind: 'kafka', bootstrapServers: bootstrapServers.split(',') }) as const;

export type KafkaAddress = ReturnType<typeof kafkaAt>;

/**
 * One Kafka for all tests of a file: the one that `npm test` shares, or one of its own if the file runs alone.
 * Says so if there is none.
 * @throws Error if there is none and `REQUIRE_KAFKA=1`
 */
export const kafkaOfFile = async () => {
  const given = process.env['TEST_KAFKA_BOOTSTRAP_SERVERS'];
  const options = given ? { skip: false } : await ownKafkaForTests();
  if (options.skip) console.log(`The tests on Apache Kafka are SKIPPED: ${options.skip}`);

  let own: Promise<KafkaBroker> | undefined;
  after(async () => (await own)?.stop());

  return {
    /** Options of node:test for what needs this Kafka. */
    options,
    address: async (): Promise<KafkaAddress> => {
      if (given) return kafkaAt(given);
      own ??= startKafka();
      return kafkaAt((await own).bootstrapServers);
    },
  };
};
