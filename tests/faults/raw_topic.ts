import { Admin, ConfigResourceTypes, IncrementalAlterConfigOperationTypes, Producer } from '@platformatic/kafka';
import type { Positions } from '#kafka_common/broker.ts';

/**
 * What tests do to a topic, but the product's broker cannot: write any bytes, cut the log, change or delete the topic.
 * Kafka only.
 */
export interface RawTopic {
  write(records: readonly RawRecord[]): Promise<void>;
  /** Cuts the log as retention does: each partition then begins at the given offset. */
  cut(before: Positions): Promise<void>;
  /** Changes a setting of the topic; null: back to its default. */
  set(name: string, value: string | null): Promise<void>;
  /** Adds partitions, up to this number. */
  grow(partitions: number): Promise<void>;
  remove(): Promise<void>;
  close(): Promise<void>;
}

interface RawRecord {
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

export const openRawTopic = (bootstrapServers: string, topic: string): RawTopic => {
  const options = { clientId: 'raw-topic', bootstrapBrokers: bootstrapServers.split(','), retries: 3 };
  const producer = new Producer({ ...options, acks: -1 });
  const admin = new Admin(options);
  return {
    async write(records) {
      // One send per record: a record batch can have at most a megabyte.
      for (const { partition, key, value } of records) {
        await producer.send({
          messages: [{ topic, partition, ...(key && { key }), ...(value && { value }) }],
        });
      }
    },
    async cut(before) {
      const partitions = Array.from(before, ([partition, offset]) => ({ partition, offset: BigInt(offset) }));
      await admin.deleteRecords({ topics: [{ name: topic, partitions }] });
    },
    async set(name, value) {
      const { SET, DELETE } = IncrementalAlterConfigOperationTypes;
      const change = value === null ? { name, configOperation: DELETE } : { name, configOperation: SET, value };
      await admin.incrementalAlterConfigs({
        resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs: [change] }],
      });
    },
    async grow(partitions) {
      const { brokers, topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
      const before = topics.get(topic)?.partitions.length ?? 0;
      const assignments = Array.from({ length: partitions - before }, () => ({ brokerIds: [...brokers.keys()] }));
      await admin.createPartitions({ topics: [{ name: topic, count: partitions, assignments }] });
    },
    remove: () => admin.deleteTopics({ topics: [topic] }),
    async close() {
      await Promise.allSettled([producer.close(true), admin.close()]);
    },
  };
};

/** Opens the topic of a stage for `work`, and closes it afterwards. */
export const withRawTopic = async (
  { kafka, topic }: { readonly kafka: readonly { readonly bootstrapServers: string }[]; readonly topic: string },
  work: (raw: RawTopic) => Promise<void>,
): Promise<void> => {
  const raw = openRawTopic(kafka.map(({ bootstrapServers }) => bootstrapServers).join(','), topic);
  try {
    await work(raw);
  } finally {
    await raw.close();
  }
};
