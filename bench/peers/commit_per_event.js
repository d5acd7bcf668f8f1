/**
 * A consumer as it is often written: for each message it stores the order in its own transaction and commits the
 * offset. It does not check the events, and keeps only their bodies.
 *
 * It consumes the given number of messages, and reports how fast it was.
 */
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { Kafka, logLevel } from 'kafkajs';

const { bootstrapServers, topic, events, directory } = JSON.parse(process.argv[2]);
const db = new DatabaseSync(`${directory}/view.sqlite`);
db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
  CREATE TABLE orders (order_id TEXT PRIMARY KEY, body TEXT NOT NULL)`);
const insert = db.prepare('INSERT OR IGNORE INTO orders (order_id, body) VALUES (?, ?)');

const consumer = new Kafka({ brokers: bootstrapServers.split(','), logLevel: logLevel.ERROR }).consumer({
  groupId: randomUUID(),
});
await consumer.connect();
await consumer.subscribe({ topic, fromBeginning: true });
let handled = 0;
let startedAt = 0;
let cpu = process.cpuUsage();
await consumer.run({
  autoCommit: false,
  async eachMessage({ partition, message }) {
    if (handled >= events) return;
    if (startedAt === 0) {
      startedAt = performance.now();
      cpu = process.cpuUsage();
    }
    const event = JSON.parse(message.value.toString());
    insert.run(event.order_id, JSON.stringify(event.order));
    await consumer.commitOffsets([{ topic, partition, offset: String(Number(message.offset) + 1) }]);
    handled += 1;
    if (handled < events) return;
    const { user, system } = process.cpuUsage(cpu);
    const perSecond = (handled * 1_000) / (performance.now() - startedAt);
    const { orders } = db.prepare('SELECT count(*) AS orders FROM orders').get();
    process.send({ perSecond, cpuUs: (user + system) / handled, orders }, () => process.exit(0));
  },
});
