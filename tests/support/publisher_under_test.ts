import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TestContext } from 'node:test';
import { pino } from 'pino';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { decodeEvent, encodeEvent } from '#kafka_common/serdes_json.ts';
import { createPublisher, type PublisherOptions } from '#cart_service/publisher.ts';
import type { Answer, CommandRequest } from '#cart_service/requests.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';
import { createSqliteCartStore } from '#cart_service/store/sqlite/sqlite_cart_store.ts';
import { eventually, Never } from './eventually.ts';
import { type FaultyBroker, withFaults } from './faulty_broker.ts';

export { create, keyed, update } from './cart_requests.ts';

export const TOPIC = 'orders.events';

/** The parts of an answer that tests compare. */
export const brief = (answer: Answer): string =>
  answer.kind === 'failed'
    ? `${answer.code} ${answer.outcome}`
    : answer.kind === 'refused'
      ? answer.refusal.code
      : 'done';

export interface Cart {
  readonly faulty: FaultyBroker;
  readonly submit: (request: CommandRequest) => Promise<string>;
  readonly status: () => ReturnType<Awaited<ReturnType<typeof createPublisher>>['status']>;
  /** All events in the log, in the order of each partition. */
  readonly log: () => Promise<OrderEvent[]>;
  readonly close: () => Promise<void>;
  /** @param ms for the requests that still wait */
  readonly closeWithin: (ms: number) => Promise<void>;
}

/** Starts a publisher on the embedded broker and a SQLite store, both in `directory`: a second one continues the first. */
export const startCart = async (
  t: TestContext,
  directory: string,
  options: Partial<PublisherOptions> & {
    wrapStore?: (store: CartStore) => CartStore;
    prepare?: (faulty: FaultyBroker) => void;
  } = {},
  opens = true,
): Promise<Cart> => {
  const { wrapStore = (store) => store, prepare, ...rest } = options;
  const faulty = withFaults(createEmbeddedBroker({ directory }));
  prepare?.(faulty);
  const store = wrapStore(createSqliteCartStore({ directory }));
  let ids = 0;
  const publisher = await createPublisher({
    broker: faulty.broker,
    store,
    topic: TOPIC,
    partitions: 3,
    requestDeadlineMs: 5_000,
    queueLimit: 1_000,
    logger: pino({ level: 'silent' }),
    circumstances: () => ({
      now: Date.now(),
      newId: () => `${process.pid}-${performance.now()}-${ids++}`,
      random: Math.random,
    }),
    observers: [],
    ...rest,
  });
  let closed = false;
  const close = async (): Promise<void> => {
    if (closed) return;
    faulty.release();
    await closeWithin(1_000);
  };
  const closeWithin = async (ms: number): Promise<void> => {
    closed = true;
    await publisher.close(ms);
    await faulty.broker.close();
    await store.close();
  };
  t.after(close);
  if (opens) await eventually(() => assert.notEqual(publisher.status().state, 'starting'));
  return {
    faulty,
    submit: async (asked) => brief(await publisher.submit(asked)),
    status: () => publisher.status(),
    close,
    closeWithin,
    log: async () => {
      const events: OrderEvent[] = [];
      for await (const batch of faulty.broker.read(TOPIC, new Map())) {
        for (const record of batch.records) {
          const decoded = decodeEvent(record);
          if (decoded.kind === 'event') events.push(decoded.event);
        }
      }
      return events;
    },
  };
};

export const noBroker = (): Promise<never> => Promise.reject(new Error('no broker'));

/** Repeats a request as its client would, until it succeeds. Every earlier answer must be a 503. */
export const untilDone = async (cart: Cart, asked: CommandRequest): Promise<void> => {
  await eventually(async () => {
    const answer = await cart.submit(asked);
    if (answer !== 'done' && !answer.startsWith('Kafka')) throw new Never(`answered ${answer}`);
    assert.equal(answer, 'done');
  });
};

export const summary = (events: readonly OrderEvent[]): string[] =>
  events.map((e) => `${e.orderId} v${e.version} ${e.type === 'ORDER_CREATED' ? 'created' : e.status}`);

/** Publishes events as another producer would. */
export const writeAsAnother = async (directory: string, events: readonly OrderEvent[]): Promise<void> => {
  const broker = createEmbeddedBroker({ directory });
  const topic = await broker.ensureTopic(TOPIC, 3);
  const messages = events.map((event) => encodeEvent(event, ''));
  const fates = await broker.publish(topic, messages, 5_000);
  await broker.close();
  assert.ok(fates.every(({ kind }) => kind === 'acknowledged'));
};

/** Deletes the topic, as an administrator would. */
export const deleteTopic = (directory: string): void => {
  const db = new DatabaseSync(join(directory, 'broker.sqlite'));
  db.prepare('DELETE FROM records WHERE topic = (SELECT number FROM topics WHERE name = ?)').run(TOPIC);
  db.prepare('DELETE FROM topics WHERE name = ?').run(TOPIC);
  db.close();
};

export const partitionOfOrder = (id: number): number => partitionOf(`ORD-${id}`, 3);

/** The number of another order in the same partition. */
export const idBeside = (id: number): number => {
  let beside = id + 1;
  while (partitionOfOrder(beside) !== partitionOfOrder(id)) beside += 1;
  return beside;
};
