import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { Admin, Producer } from '@platformatic/kafka';
import { eventually } from '#tests/support/eventually.ts';
import { startKafka } from './apache_kafka.ts';
import { isPortFree } from './free_ports.ts';
import { ownKafkaForTests } from './kafka_for_tests.ts';

const options = { ...(await ownKafkaForTests()), timeout: 120_000 };

test('a broker that was killed and restarted still has the messages that it acknowledged', options, async (t) => {
  const kafka = await startKafka();
  t.after(() => kafka.stop());
  const client = { clientId: 'test', bootstrapBrokers: [kafka.bootstrapServers] };

  const admin = new Admin(client);
  await admin.createTopics({ topics: ['orders'], partitions: 1, replicas: 1 });
  await admin.close();
  const producer = new Producer(client);
  await producer.send({ messages: [{ topic: 'orders', value: Buffer.from('an order') }], acks: -1 });
  await producer.close();
  await kafka.kill();
  await kafka.restart();

  const adminAfter = new Admin(client);
  const [orders] = await adminAfter.listOffsets({
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1n }] }],
  });
  await adminAfter.close();
  assert.equal(orders?.partitions[0]?.offset, 1n);
});

test('a broker ends when the process that started it is killed', options, async () => {
  const script = `import { startKafka } from '#tests/kafka/apache_kafka.ts'; console.log((await startKafka()).port);`;
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(import.meta.dirname, '..', '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = await once(parent.stdout, 'data');
  parent.kill('SIGKILL');

  await eventually(async () => assert(await isPortFree(Number(port))));
});
