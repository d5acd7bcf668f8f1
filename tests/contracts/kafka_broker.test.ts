import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import {
  Admin,
  ConfigResourceTypes,
  IncrementalAlterConfigOperationTypes,
  Producer,
  stringSerializers,
} from '@platformatic/kafka';
import { test } from 'node:test';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { startKafka } from '#tests/kafka/apache_kafka.ts';
import { ownKafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { eventually } from '#tests/support/eventually.ts';
import { brokerContract } from './broker_contract.ts';
import { createScene, keyOf } from './broker_scene.ts';
import { type BrokerAddress, type BrokerFeatures, openBroker } from './broker_under_test.ts';
import { kafkaAt, kafkaOfFile } from './kafka_under_test.ts';

const clientOptions = (address: BrokerAddress) => ({
  clientId: 'broker-contract-tools',
  // The first transaction of a cluster waits for its coordinator to come up.
  retries: 100,
  retryDelay: 100,
  bootstrapBrokers: address.kind === 'kafka' ? [...address.bootstrapServers] : [],
});

const deleteTopic: BrokerFeatures['deleteTopic'] = async (address, name) => {
  const admin = new Admin(clientOptions(address));
  await admin.deleteTopics({ topics: [name] });
  await admin.close();
};

const addPartitions: BrokerFeatures['addPartitions'] = async (address, topic, partitions) => {
  const admin = new Admin(clientOptions(address));
  const { brokers } = await admin.metadata({ topics: [topic.name] });
  const assignments = Array.from({ length: partitions - topic.partitions }, () => ({ brokerIds: [...brokers.keys()] }));
  await admin.createPartitions({ topics: [{ name: topic.name, count: partitions, assignments }] });
  await admin.close();
};

const transactionalProducer: Required<BrokerFeatures>['transactionalProducer'] = async (address, topic) => {
  const producer = new Producer({
    ...clientOptions(address),
    transactionalId: randomUUID(),
    idempotent: true,
    serializers: stringSerializers,
  });
  return {
    begin: async () => {
      const transaction = await producer.beginTransaction();
      return {
        send: async (messages) => {
          const located = messages.map((message) => ({
            ...message,
            topic: topic.name,
            partition: partitionOf(message.key, topic.partitions),
          }));
          await transaction.send({ messages: located });
        },
        commit: () => transaction.commit(),
        abort: () => transaction.abort(),
      };
    },
    close: () => producer.close(),
  };
};

/** A transaction ends with a control record, which has an offset but is no message. */
const addGap: BrokerFeatures['addGap'] = async (address, topic, partition) => {
  const producer = await transactionalProducer(address, topic);
  try {
    const transaction = await producer.begin();
    await transaction.send([{ key: keyOf(partition, topic.partitions), value: '' }]);
    await transaction.commit();
  } finally {
    await producer.close();
  }
};

/** A new cluster refuses its first group until its coordinator is up. A service tries again; a test waits. */
const untilReady = async (address: BrokerAddress): Promise<void> => {
  const broker = openBroker(address);
  const { name } = await broker.ensureTopic(`ready-${randomUUID()}`, 1);
  await eventually(() => {
    const joined = new AbortController();
    return broker.consume({
      topic: name,
      group: name,
      memberId: 'member',
      startAt: async () => new Map(),
      onAssigned: () => joined.abort(),
      onBatch: async () => {},
      signal: joined.signal,
    });
  }, 20_000);
  await broker.close();
};

const shared = await kafkaOfFile();

brokerContract(
  'Apache Kafka',
  async () => {
    const address = await shared.address();
    await untilReady(address);
    return { address, stop: async () => {} };
  },
  {
    // The session time-out of 10 s, and the time until the other members have joined again.
    takeoverMs: 20_000,
    deleteTopic,
    addPartitions,
    addGap,
    transactionalProducer,
    outages: {
      options: await ownKafkaForTests(),
      // Nothing listens on the port of the TCP port service multiplexer.
      nowhere: kafkaAt('localhost:1'),
      start: async () => {
        const kafka = await startKafka();
        const address = kafkaAt(kafka.bootstrapServers);
        await untilReady(address);
        return { ...kafka, address };
      },
    },
  },
  shared.options,
);

test(
  'a record of a topic with LogAppendTime has the time of the broker, not that of its producer',
  shared.options,
  async (t) => {
    const address = await shared.address();
    const scene = createScene(t, address);
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const admin = new Admin(clientOptions(address));
    scene.after(() => admin.close());
    const configs = [
      {
        name: 'message.timestamp.type',
        value: 'LogAppendTime',
        configOperation: IncrementalAlterConfigOperationTypes.SET,
      },
    ];
    await admin.incrementalAlterConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic.name, configs }],
    });
    const producer = new Producer({ ...clientOptions(address), serializers: stringSerializers });
    scene.after(() => producer.close());
    const before = Date.now();
    // The change reaches the partition a moment later.
    await eventually(async () => {
      await producer.send({ messages: [{ topic: topic.name, key: 'key', value: '', timestamp: 946_684_800_000n }] });
      const batches = await Array.fromAsync(broker.read(topic.name, new Map()));
      const timestamp = batches.flatMap(({ records }) => records).at(-1)?.timestamp ?? 0;
      assert.ok(timestamp >= before - 1 && timestamp <= Date.now() + 1, new Date(timestamp).toISOString());
    });
  },
);
