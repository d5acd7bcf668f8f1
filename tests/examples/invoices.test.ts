import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { OrderEvent } from '#kafka_common/events.ts';
import { createKafkaBroker } from '#kafka_common/kafka/kafka_broker.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { openRawTopic } from '#tests/faults/raw_topic.ts';
import { kafkaForTests } from '#tests/kafka/kafka_for_tests.ts';
import { created, statusUpdated } from '#tests/support/events.ts';
import { eventually } from '#tests/support/eventually.ts';
import { installPython } from '#tests/support/python.ts';
import { tempDir } from '#tests/support/temp_dir.ts';

/** Example 3, in Python, on a topic that holds all that docs/events.md warns of. */

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const pythonForTests = (): { command: string } | { skip: string } => {
  try {
    return { command: installPython(here('../../examples/3_requirements.txt'), 'confluent-kafka') };
  } catch (error) {
    if (process.env['REQUIRE_PYTHON'] === '1') throw error;
    return { skip: error instanceof Error ? error.message : String(error) };
  }
};

/** Another producer: no version, no `ORD-`, camelCase, capitals, and a date without a zone. */
const FOREIGN_ORDER = {
  event_id: 'foreign-1',
  event_type: 'ORDER_CREATED',
  timestamp: '2026-01-18T12:00:00',
  order_id: '5',
  order: {
    orderId: '5',
    customerId: 'CUST-1',
    orderDate: '2026-01-18',
    items: [{ itemId: 'ITEM-001', quantity: 3, price: 0.1 }],
    totalAmount: 0.3,
    currency: 'EUR',
    status: 'NEW',
  },
};
const FOREIGN_STATUS = {
  ...FOREIGN_ORDER,
  event_id: 'foreign-2',
  event_type: 'ORDER_STATUS_UPDATED',
  order: undefined,
};

const MESSAGES: readonly (OrderEvent | object | string | Buffer | null)[] = [
  created('ORD-1'),
  null,
  '',
  'not JSON',
  '['.repeat(100_000),
  Buffer.from([0xff, 0xfe, 0x00]),
  '[1, 2]',
  '"text"',
  { event_type: 'ORDER_ARCHIVED', order_id: 'ORD-1' },
  { event_type: ['ORDER_CREATED'], order_id: 'ORD-1' },
  { event_type: 'ORDER_CREATED', event_id: 'e', order_id: 'ORD-9' },
  { event_type: 'ORDER_CREATED', event_id: 'e', order_id: 9 },
  { event_type: 'ORDER_CREATED', event_id: 'e', order_id: 'ORD-9', order: { order_id: 'ORD-9', total_amount: '1' } },
  { event_type: 'ORDER_STATUS_UPDATED', event_id: 'e', order_id: 'ORD-1', status: 'lost', version: 2 },
  { event_type: 'ORDER_STATUS_UPDATED', event_id: 'e', order_id: 'ORD-1', status: 'new', version: '2' },
  '{"event_type":"ORDER_STATUS_UPDATED","event_id":"\\ud800","order_id":"ORD-1","status":"confirmed"}',
  statusUpdated('ORD-1', 2, 'confirmed'),
  statusUpdated('ORD-1', 3, 'shipped'),
  statusUpdated('ORD-1', 2, 'confirmed'),
  created('ORD-1'),
  created('ORD-1', 4, 'another-event-id'),
  FOREIGN_ORDER,
  { ...FOREIGN_STATUS, status: 'CONFIRMED' },
  { ...FOREIGN_STATUS, status: 'CONFIRMED' },
  { ...FOREIGN_STATUS, event_id: 'foreign-3', status: 'Pending', unknown_field: true },
  { ...FOREIGN_STATUS, event_id: 'foreign-2', status: 'CONFIRMED' },
  // From a producer with other keys, the status can come before its order.
  statusUpdated('ORD-7', 2, 'confirmed'),
  created('ORD-7'),
  created('ORD-8'),
];

const EFFECTS = [
  'invoice ORD-1 150 USD',
  'status ORD-1 confirmed',
  'status ORD-1 shipped',
  'invoice ORD-5 0.3 EUR',
  'status ORD-5 confirmed',
  'status ORD-5 pending',
  'status ORD-7 confirmed',
  'invoice ORD-7 150 USD',
  'invoice ORD-8 150 USD',
];
const SET_ASIDE = 15;

/** A new Kafka makes its topic of offsets for the first group, which can take long on a busy machine. */
const FIRST_GROUP_MS = 60_000;

const kafka = kafkaForTests();
const python = 'skip' in kafka ? kafka : pythonForTests();

describe('example 3', 'skip' in python ? python : {}, () => {
  assert.ok('bootstrapServers' in kafka && 'command' in python);
  const { bootstrapServers } = kafka;
  const { command } = python;

  test('sets aside what it cannot use and applies each event once, whatever the topic holds', async (t) => {
    const topic = randomUUID();
    await publishAll(bootstrapServers, topic);
    const file = join(tempDir(), 'invoices.sqlite');
    const env = { KAFKA_BOOTSTRAP_SERVERS: bootstrapServers, ORDERS_TOPIC: topic, INVOICES_FILE: file };

    const first = run(t, command, { ...env, INVOICES_GROUP: randomUUID() });
    await eventually(() => assert.equal(first.lines().at(-1), EFFECTS.at(-1), first.all()), FIRST_GROUP_MS);
    assert.deepEqual(
      first.lines().filter((line) => !line.startsWith('set aside ')),
      EFFECTS,
    );
    assert.equal(first.lines().filter((line) => line.startsWith('set aside ')).length, SET_ASIDE, first.all());
    first.child.kill('SIGKILL');

    // A new group reads the whole topic again, as after a crash that lost every commit.
    const second = run(t, command, { ...env, INVOICES_GROUP: randomUUID() });
    await eventually(() => assert.match(second.all(), /^waiting for events/m));
    await publish(bootstrapServers, topic, [created('ORD-10')]);
    await eventually(() => assert.ok(second.lines().length > 0, second.all()), FIRST_GROUP_MS);
    assert.deepEqual(second.lines(), ['invoice ORD-10 150 USD']);

    second.child.kill('SIGINT');
    const [code] = (await once(second.child, 'exit')) as [number | null];
    assert.equal(code, process.platform === 'win32' ? null : 0, second.all());
  });
});

/** All in one partition, so that they come in this order. */
const publishAll = async (bootstrapServers: string, topic: string): Promise<void> => {
  const broker = createKafkaBroker({ bootstrapServers: [bootstrapServers], clientId: 'invoices-test' });
  await broker.ensureTopic(topic, 1);
  await broker.close();
  await publish(bootstrapServers, topic, MESSAGES);
};

const publish = async (bootstrapServers: string, topic: string, messages: typeof MESSAGES): Promise<void> => {
  const raw = openRawTopic(bootstrapServers, topic);
  await raw.write(messages.map((message) => ({ partition: 0, key: Buffer.from('ORD-1'), value: bytesOf(message) })));
  await raw.close();
};

const bytesOf = (message: (typeof MESSAGES)[number]): Buffer | null => {
  if (message === null || Buffer.isBuffer(message)) return message;
  if (typeof message === 'string') return Buffer.from(message);
  return Buffer.from('eventId' in message ? encodeEvent(message, '').value : JSON.stringify(message));
};

interface Run {
  readonly child: ChildProcess;
  /** What it says of messages. */
  readonly lines: () => readonly string[];
  readonly all: () => string;
}

const run = (t: TestContext, command: string, env: Record<string, string>): Run => {
  const child = spawn(command, [here('../../examples/3_invoices.py')], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONUTF8: '1', ...env },
  });
  t.after(() => child.kill('SIGKILL'));
  let all = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (all += text));
  return {
    child,
    lines: () => all.split(/\r?\n/).filter((line) => /^(invoice|status|set aside) /.test(line)),
    all: () => all,
  };
};
