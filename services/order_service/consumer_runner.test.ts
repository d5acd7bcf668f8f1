import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Broker } from '#kafka_common/broker.ts';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { eventually } from '#tests/support/eventually.ts';
import { createSqliteConsumerDb } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import { anAppliedBatch, aStep, created, statusUpdated } from '#tests/support/events.ts';
import { createRunnerPlace, GROUP, NO_DELAYS, TOPIC } from '#tests/support/runner_place.ts';

let place: Awaited<ReturnType<typeof createRunnerPlace>>;

beforeEach(async () => {
  place = await createRunnerPlace();
});

afterEach(() => place.remove());

const openBroker = (): Broker => {
  const broker = createEmbeddedBroker({ directory: place.directory });
  place.defer(() => broker.close());
  return broker;
};

const publish = async (broker: Broker, events: readonly OrderEvent[]): Promise<void> => {
  const topic = await broker.ensureTopic(TOPIC, 2);
  const fates = await broker.publish(
    topic,
    events.map((event) => encodeEvent(event, '')),
    5_000,
  );
  assert.ok(fates.every(({ kind }) => kind === 'acknowledged'));
};

const ordersAre = (...orderIds: string[]): Promise<void> =>
  eventually(async () => {
    assert.deepEqual((await Array.fromAsync(place.db.orderIds())).flat().toSorted(), orderIds);
  });

const manyCreated = (from: number, count: number): OrderEvent[] =>
  Array.from({ length: count }, (_, n) => created(`ORD-${from + n}`));

describe('a runner on a broker', () => {
  test('applies and commits what was published before and after it started', async () => {
    const broker = openBroker();
    await publish(broker, [created('ORD-1'), statusUpdated('ORD-1', 2, 'shipped'), created('ORD-2')]);
    const { runner } = place.startRunner(broker);
    await ordersAre('ORD-1', 'ORD-2');
    await publish(broker, [created('ORD-3')]);
    await ordersAre('ORD-1', 'ORD-2', 'ORD-3');

    const status = runner.status();
    assert.deepEqual([status.state, status.attempt, status.assigned], ['consuming', 0, [0, 1]]);
    assert.equal(status.outcomes.applied, 4);
    assert.ok(Object.values(status.lag).every((lag) => lag === 0));
    await runner.stop();
    const stored = new Map((await place.db.positions(TOPIC)).map(({ partition, next }) => [partition, next]));
    assert.deepEqual(await broker.committed(GROUP, TOPIC), stored);
  });

  test('goes on at its position after a restart', async () => {
    const broker = openBroker();
    await publish(broker, manyCreated(0, 10));
    const first = place.startRunner(broker);
    await eventually(() => assert.equal(first.runner.status().outcomes.applied, 10));
    await first.runner.stop();
    await publish(broker, [created('ORD-10')]);
    const second = place.startRunner(broker);
    await eventually(() => assert.equal(second.runner.status().outcomes.applied, 1));
    assert.equal(second.runner.status().outcomes.duplicate, 0);
    assert.ok(second.lines.every(({ level }) => level === 'info'));
  });

  test('waits for a missing topic, logs that once, and consumes the topic as soon as it is there', async () => {
    const broker = openBroker();
    const { runner, lines } = place.startRunner(broker);
    await eventually(() => assert.equal(runner.status().state, 'waiting_for_topic'));
    await publish(broker, [created('ORD-1')]);
    await ordersAre('ORD-1');
    assert.equal(runner.status().state, 'consuming');
    assert.deepEqual(
      lines.map(({ msg }) => msg),
      ['the topic does not exist yet, waiting for it', 'consuming'],
    );
  });

  test('rebuilds a view that was deleted, and logs that', async () => {
    const broker = openBroker();
    await publish(broker, manyCreated(0, 20));
    const first = place.startRunner(broker);
    await eventually(() => assert.equal(first.runner.status().outcomes.applied, 20));
    await first.runner.stop();

    const emptyDb = createSqliteConsumerDb({ directory: join(place.directory, 'empty') });
    place.defer(() => emptyDb.close());
    const second = place.startRunner(broker, { db: emptyDb });
    await eventually(() => assert.equal(second.runner.status().outcomes.applied, 20));
    const warnings = second.lines.filter(({ level }) => level === 'warn');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]?.msg ?? '', /rebuilding/);
  });

  test('reads a topic that was made again from its start, and logs that', async () => {
    await place.db.applyBatch(anAppliedBatch({ positions: [aStep({ topicId: 'former', next: 1_000 })] }));
    const broker = openBroker();
    await broker.ensureTopic(TOPIC, 2);
    const { runner, lines } = place.startRunner(broker);
    await eventually(() => assert.equal(runner.status().state, 'consuming'));
    await publish(broker, manyCreated(0, 20));
    await eventually(() => assert.equal(runner.status().outcomes.applied, 20));
    assert.equal(runner.status().positionsLost, 1);
    const errors = lines.filter(({ level }) => level === 'error');
    assert.equal(errors.length, 1);
    assert.match(errors[0]?.msg ?? '', /deleted and made again/);
    const topic = await broker.describeTopic(TOPIC);
    assert.ok((await place.db.positions(TOPIC)).every(({ topicId }) => topicId === topic?.id));
  });

  test('goes on at the position of the view after another process has moved it on, and applies nothing twice', async () => {
    const broker = openBroker();
    await publish(broker, manyCreated(0, 20));
    let overtaken = false;
    const db: typeof place.db = {
      ...place.db,
      async load(...ids) {
        const loaded = await place.db.load(...ids);
        if (!overtaken) {
          overtaken = true;
          const other = place.startRunner(broker, { group: 'other', memberId: 'order-2' });
          await eventually(() => assert.equal(other.runner.status().outcomes.applied, 20));
          await other.runner.stop();
        }
        return loaded;
      },
    };
    const { runner, lines } = place.startRunner(broker, { db });
    await eventually(() => assert.ok(lines.some(({ msg }) => msg.includes('another process has moved the view on'))));
    await publish(broker, manyCreated(20, 20));
    await eventually(() => assert.equal(runner.status().outcomes.applied, 20));
    assert.deepEqual(runner.status().outcomes, { applied: 20, duplicate: 0, waiting: 0, conflict: 0 });
    assert.equal((await place.db.counts()).orders, 40);
  });

  test('stops at once while it waits for the topic, even with a long delay', async () => {
    const { runner } = place.startRunner(openBroker(), { delays: { ...NO_DELAYS, topicMissing: 60_000 } });
    await eventually(() => assert.equal(runner.status().state, 'waiting_for_topic'));
    await runner.stop();
  });

  test('stops at once while the store fails, with nothing applied and nothing committed', async () => {
    const broker = openBroker();
    await publish(broker, [created('ORD-1')]);
    const closedDb = createSqliteConsumerDb({ directory: join(place.directory, 'closed') });
    await closedDb.close();
    const { runner } = place.startRunner(broker, {
      db: { ...place.db, applyBatch: closedDb.applyBatch },
      delays: { ...NO_DELAYS, store: () => 60_000 },
    });
    await eventually(() => assert.match(runner.status().storeFailure ?? '', /did not take/));
    await runner.stop();
    assert.equal(await place.db.order('ORD-1'), null);
    assert.deepEqual(await broker.committed(GROUP, TOPIC), new Map());
  });
});
