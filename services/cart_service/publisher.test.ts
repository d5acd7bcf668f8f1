import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { pino } from 'pino';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { Publish } from '#cart_service/publishing/batches/event_sender.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';
import { createSqliteCartStore } from '#cart_service/store/sqlite/sqlite_cart_store.ts';
import { created, statusUpdated } from '#tests/support/events.ts';
import { eventually } from '#tests/support/eventually.ts';
import { type FaultyBroker, withFaults } from '#tests/support/faulty_broker.ts';
import {
  type Cart,
  brief,
  create,
  idBeside,
  keyed,
  noBroker,
  partitionOfOrder,
  startCart,
  summary,
  TOPIC,
  untilDone,
  update,
  writeAsAnother,
} from '#tests/support/publisher_under_test.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createPublisher } from './publisher.ts';
import { MAX_VERSION } from './order_commands.ts';

describe('the publisher without faults', () => {
  test('answers a create and an update once their events are in the log', async (t) => {
    const cart = await startCart(t, tempDir());
    assert.equal(await cart.submit(create(1)), 'done');
    assert.equal(await cart.submit(update(1, 'confirmed')), 'done');
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created', 'ORD-1 v2 confirmed']);
    await eventually(() => assert.equal(cart.status().unsettled, 0));
  });

  test('answers while requests keep the event loop from its next turn', async (t) => {
    const cart = await startCart(t, tempDir());
    let turned = false;
    setImmediate(() => (turned = true));
    let answer: string | null = null;
    void cart.submit(create(1)).then((told) => (answer = told));
    for (let n = 2; answer === null && n < 1_000; n++) {
      void cart.submit(create(n));
      const until = performance.now() + 1;
      while (performance.now() < until);
      // Only promises get a turn, neither timers nor sockets.
      await Promise.resolve();
    }
    assert.deepEqual([answer, turned], ['done', false]);
  });

  test('lets exactly one of simultaneous creates of one id succeed', async (t) => {
    const cart = await startCart(t, tempDir());
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => cart.submit(create(1, 1 + i))));
    assert.deepEqual(answers.toSorted(), [...Array.from({ length: 19 }, () => 'OrderAlreadyExists'), 'done']);
    assert.equal((await cart.log()).length, 1);
  });

  test('puts the requests that arrive during a batch into one next batch', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.faults.push('held');
    const first = cart.submit(create(1));
    await eventually(() => assert.equal(cart.faulty.published.length, 1));
    const rest = Array.from({ length: 50 }, (_, i) => cart.submit(create(2 + i)));
    cart.faulty.release();
    assert.deepEqual(new Set(await Promise.all([first, ...rest])), new Set(['done']));
    assert.deepEqual(
      cart.faulty.published.map((batch) => batch.length),
      [1, 50],
    );
  });

  test('publishes nothing for the status that an order has, and refuses what its lifecycle forbids', async (t) => {
    const cart = await startCart(t, tempDir());
    await cart.submit(create(1));
    await cart.submit(update(1, 'cancelled'));
    assert.equal(await cart.submit(update(1, 'cancelled')), 'done');
    assert.equal(await cart.submit(update(1, 'confirmed')), 'StatusNotAllowed');
    assert.equal(await cart.submit(update(2, 'confirmed')), 'OrderNotFound');
    assert.equal((await cart.log()).length, 2);
  });
});

describe('the publisher, if an event is certainly not written', () => {
  test('answers not_created and takes the order back, so that the same create succeeds later', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.faults.push('not_written');
    assert.equal(await cart.submit(create(1)), 'KafkaBrokersUnavailable not_created');
    await untilDone(cart, create(1, 2));
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created']);
  });

  test('answers not_updated and goes back to the status before, so that its version is used again', async (t) => {
    const cart = await startCart(t, tempDir());
    await cart.submit(create(1));
    cart.faulty.faults.push('not_written');
    assert.equal(await cart.submit(update(1, 'cancelled')), 'KafkaBrokersUnavailable not_updated');
    await untilDone(cart, update(1, 'shipped'));
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created', 'ORD-1 v2 shipped']);
  });

  test('refuses at once while the broker is down, and takes orders again once it answers a probe', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.down = true;
    assert.equal(await cart.submit(create(1)), 'KafkaBrokersUnavailable not_created');
    const asked = cart.faulty.published.length;
    assert.equal(await cart.submit(create(2)), 'KafkaBrokersUnavailable not_created');
    assert.equal(cart.faulty.published.length, asked, 'nothing was tried');
    assert.equal(cart.status().state, 'impaired');
    cart.faulty.down = false;
    await eventually(async () => assert.equal(await cart.submit(create(2)), 'done'));
    assert.equal(cart.status().state, 'open');
  });

  test('keeps an event whose request was answered unknown meanwhile, and publishes it', async (t) => {
    const cart = await startCart(t, tempDir(), { requestDeadlineMs: 200 });
    cart.faulty.faults.push('held_not_written');
    assert.equal(await cart.submit(create(1)), 'KafkaTimeout unknown');
    cart.faulty.release();
    await untilDone(cart, create(1));
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created']);
  });
});

describe('the publisher, if the fate of an event is unknown', () => {
  for (const fault of ['written_unknown', 'lost_unknown'] as const) {
    test(`answers unknown, publishes the event again under the same id, and lets the repeated create succeed (${fault})`, async (t) => {
      const cart = await startCart(t, tempDir());
      cart.faulty.faults.push(fault);
      assert.equal(await cart.submit(create(1)), 'KafkaTimeout unknown');
      await untilDone(cart, create(1));
      assert.equal(await cart.submit(create(1, 2)), 'OrderAlreadyExists', 'another request for the same id');
      const events = await cart.log();
      assert.equal(events.length, fault === 'written_unknown' ? 2 : 1);
      assert.equal(new Set(events.map((event) => event.eventId)).size, 1);
    });
  }

  test('lets the repeated update succeed, and publishes nothing newer before it', async (t) => {
    const cart = await startCart(t, tempDir());
    await cart.submit(create(1));
    cart.faulty.faults.push('lost_unknown');
    assert.equal(await cart.submit(update(1, 'confirmed')), 'KafkaTimeout unknown');
    await untilDone(cart, update(1, 'shipped'));
    assert.equal(await cart.submit(update(1, 'shipped')), 'done');
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created', 'ORD-1 v2 confirmed', 'ORD-1 v3 shipped']);
  });

  test('answers unknown, never not_created, to a repeated create while the first is unsettled', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.faults.push('lost_unknown');
    const first = cart.submit(create(1));
    cart.faulty.down = false;
    assert.equal(await first, 'KafkaTimeout unknown');
    cart.faulty.down = true;
    assert.equal(await cart.submit(create(1)), 'KafkaBrokersUnavailable unknown');
    assert.match(await cart.submit(create(4)), /not_created$/);
    cart.faulty.down = false;
    await untilDone(cart, create(1));
  });

  test('answers every request within the deadline while a publish hangs', async (t) => {
    const cart = await startCart(t, tempDir(), { requestDeadlineMs: 300 });
    cart.faulty.faults.push('held');
    const started = performance.now();
    const first = cart.submit(create(1));
    await eventually(() => assert.equal(cart.faulty.published.length, 1));
    const behind = cart.submit(create(2));
    const same = cart.submit(create(1));
    assert.equal(await first, 'KafkaTimeout unknown');
    assert.equal(await behind, 'KafkaTimeout not_created');
    assert.equal(await same, 'KafkaTimeout unknown');
    assert.ok(performance.now() - started < 1_000);
    cart.faulty.release();
    await untilDone(cart, create(1));
    assert.equal((await cart.log()).length, 1);
  });
});

/** Takes the broker down, and lets another request notice. */
const takeDown = async (cart: Cart): Promise<void> => {
  cart.faulty.down = true;
  assert.match(await cart.submit(create(99)), /not_created$/);
  await eventually(() => assert.equal(cart.status().state, 'impaired'));
};

describe('the publisher, if it can take no event now', () => {
  test('answers a success to a repetition of what is done, with and without a key', async (t) => {
    const cart = await startCart(t, tempDir());
    const asked = [keyed('a', create(1)), create(2), keyed('b', create(3))];
    for (const request of asked) {
      cart.faulty.faults.push('written_unknown');
      assert.equal(await cart.submit(request), 'KafkaTimeout unknown');
      await eventually(() => assert.deepEqual([cart.status().state, cart.status().unsettled], ['open', 0]));
    }
    await takeDown(cart);
    assert.deepEqual(await Promise.all(asked.map(cart.submit)), ['done', 'done', 'done']);
    assert.equal(await cart.submit(keyed('a', create(4))), 'IdempotencyKeyReused');
    assert.equal(await cart.submit(create(4)), 'KafkaBrokersUnavailable not_created');
    assert.equal(await cart.submit(create(1, 2)), 'OrderAlreadyExists');
  });

  test('answers a success if there is nothing to change, and gives it again under its key', async (t) => {
    const cart = await startCart(t, tempDir());
    await cart.submit(create(1));
    await cart.submit(update(1, 'confirmed'));
    await takeDown(cart);
    assert.equal(await cart.submit(keyed('a', update(1, 'confirmed'))), 'done');
    assert.equal(await cart.submit(update(1, 'shipped')), 'KafkaBrokersUnavailable not_updated');
    cart.faulty.down = false;
    await untilDone(cart, update(1, 'shipped'));
    assert.equal(await cart.submit(keyed('a', update(1, 'confirmed'))), 'done');
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created', 'ORD-1 v2 confirmed', 'ORD-1 v3 shipped']);
  });

  test('answers unknown to simultaneous attempts at one request, because one may do what the other denies', async (t) => {
    const cart = await startCart(t, tempDir());
    await takeDown(cart);
    const answers = await Promise.all([cart.submit(create(1)), cart.submit(create(1)), cart.submit(create(2))]);
    assert.deepEqual(answers.slice(0, 1), ['KafkaBrokersUnavailable unknown']);
    assert.equal(answers[2], 'KafkaBrokersUnavailable not_created');
  });

  test('asks the store about a flood of requests in batches, and answers all in time', async (t) => {
    let loads = 0;
    const cart = await startCart(t, tempDir(), {
      queueLimit: 5_000,
      wrapStore: (store) => ({ ...store, load: (...args) => ((loads += 1), store.load(...args)) }),
    });
    await takeDown(cart);
    loads = 0;
    const started = performance.now();
    const answers = await Promise.all(Array.from({ length: 4_000 }, (_, n) => cart.submit(create(1_000 + n))));
    assert.deepEqual(new Set(answers), new Set(['KafkaBrokersUnavailable not_created']));
    assert.ok(loads <= 4_000 / 100, `${loads} look-ups`);
    assert.ok(performance.now() - started < 2_000);
  });

  test('answers unknown within the deadline if its store does not answer', async (t) => {
    let hangs = false;
    const cart = await startCart(t, tempDir(), {
      requestDeadlineMs: 300,
      wrapStore: (store) => ({
        ...store,
        load: (...args) => (hangs ? new Promise<never>(() => {}) : store.load(...args)),
      }),
    });
    await takeDown(cart);
    hangs = true;
    const started = performance.now();
    assert.equal(await cart.submit(create(1)), 'KafkaTimeout unknown');
    assert.ok(performance.now() - started < 600);
  });

  test('answers unknown with the reason if its store fails', async (t) => {
    let fails = false;
    const cart = await startCart(t, tempDir(), {
      wrapStore: (store) => ({
        ...store,
        load: (...args) =>
          fails ? Promise.reject(new StoreError('STORE_UNAVAILABLE', 'disk full')) : store.load(...args),
      }),
    });
    await takeDown(cart);
    fails = true;
    assert.equal(await cart.submit(create(1)), 'KafkaBrokersUnavailable unknown');
  });

  test('asks the store while it stops, and while it starts', async (t) => {
    const directory = tempDir();
    const first = await startCart(t, directory, { requestDeadlineMs: 60_000 });
    await first.submit(keyed('a', create(1)));
    first.faulty.faults.push('held');
    const inside = first.submit(create(2));
    await eventually(() => assert.equal(first.status().unsettled, 1));
    const behind = [create(2), keyed('a', create(1)), create(idBeside(2))].map(first.submit);
    const closed = first.closeWithin(0);
    assert.deepEqual(await Promise.all([inside, ...behind]), [
      'ServiceStopping unknown',
      'ServiceStopping unknown',
      'done',
      'ServiceStopping not_created',
    ]);
    await closed;

    const second = await startCart(t, directory, { prepare: ({ broker }) => (broker.ensureTopic = noBroker) }, false);
    assert.equal(await second.submit(keyed('a', create(1))), 'done');
    assert.equal(await second.submit(create(2)), 'KafkaBrokersUnavailable unknown');
    assert.equal(await second.submit(create(3)), 'KafkaBrokersUnavailable not_created');
    assert.equal(await second.submit(update(3, 'shipped')), 'KafkaBrokersUnavailable not_updated');
  });

  test('notices an outage without any request, and the end of it', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.down = true;
    await eventually(() => assert.equal(cart.status().state, 'impaired'), 5_000);
    assert.equal(cart.status().reason, 'no broker');
    cart.faulty.down = false;
    await eventually(() => assert.equal(cart.status().state, 'open'), 5_000);
    assert.equal(await cart.submit(create(1)), 'done');
  });
});

describe('an update answered unknown', () => {
  for (const [other, what] of [
    ['shipped', 'whatever another client did meanwhile'],
    ['cancelled', 'also if the order is final by now'],
  ] as const) {
    test(`succeeds once when it is repeated, and is not published twice, ${what}`, async (t) => {
      const cart = await startCart(t, tempDir());
      await cart.submit(create(1));
      cart.faulty.faults.push('written_unknown');
      assert.equal(await cart.submit(update(1, 'confirmed')), 'KafkaTimeout unknown');
      await untilDone(cart, update(1, other));
      assert.equal(await cart.submit(update(1, 'confirmed')), 'done');
      assert.deepEqual(
        [...new Set(summary(await cart.log()))],
        ['ORD-1 v1 created', 'ORD-1 v2 confirmed', `ORD-1 v3 ${other}`],
      );
    });
  }

  test('is a new request after its success, and after a day', async (t) => {
    let now = Date.now();
    const cart = await startCart(t, tempDir(), {
      circumstances: () => ({ now, newId: randomUUID, random: Math.random }),
    });
    await cart.submit(create(1));
    for (const [first, next] of [
      ['confirmed', 'processing'],
      ['shipped', 'delivered'],
    ] as const) {
      cart.faulty.faults.push('written_unknown');
      assert.equal(await cart.submit(update(1, first)), 'KafkaTimeout unknown');
      await untilDone(cart, update(1, next));
    }
    assert.equal(await cart.submit(update(1, 'confirmed')), 'done');
    assert.equal(await cart.submit(update(1, 'confirmed')), 'done');
    now += 25 * 60 * 60 * 1_000;
    await sleep(150);
    assert.equal(await cart.submit(create(2)), 'done');
    assert.equal(await cart.submit(update(1, 'shipped')), 'done');
    assert.deepEqual([...new Set(summary(await cart.log()))].filter((event) => event.startsWith('ORD-1 ')).slice(5), [
      'ORD-1 v6 confirmed',
      'ORD-1 v7 shipped',
    ]);
  });
});

/** A store with an open update under the key `k`, and a log that has given its version to another event. */
const overtake = async (t: TestContext, directory: string): Promise<void> => {
  const first = await startCart(t, directory);
  await first.submit(create(1));
  first.faulty.faults.push('lost_unknown');
  assert.equal(await first.submit(keyed('k', update(1, 'confirmed'))), 'KafkaTimeout unknown');
  first.faulty.down = true;
  await first.close();
  await writeAsAnother(directory, [statusUpdated('ORD-1', 2, 'processing')]);
  // Other partitions have events too, so that catching up takes several batches.
  await writeAsAnother(
    directory,
    Array.from({ length: 6 }, (_, n) => created(`ORD-${50 + n}`)),
  );
};

describe('the publisher, if others write versions of an order', () => {
  test('goes not back to the state before an event that is not written, if it learnt a later one meanwhile', async (t) => {
    const directory = tempDir();
    const cart = await startCart(t, directory, { requestDeadlineMs: 20_000 });
    await cart.submit(create(1));
    cart.faulty.faults.push('held_not_written');
    const [changed, made] = [cart.submit(update(1, 'confirmed')), cart.submit(create(idBeside(1)))];
    await eventually(() => assert.equal(cart.status().unsettled, 2));
    const beside = `ORD-${idBeside(1)}`;
    await writeAsAnother(directory, [
      statusUpdated('ORD-1', 2, 'shipped'),
      statusUpdated('ORD-1', 3, 'delivered'),
      created(beside),
    ]);
    // It has learnt both after the second look at the ends.
    await sleep(3_500);
    cart.faulty.release();
    assert.deepEqual(await Promise.all([changed, made]), [
      'KafkaBrokersUnavailable not_updated',
      'KafkaBrokersUnavailable not_created',
    ]);
    await untilDone(cart, update(1, 'completed'));
    assert.equal(await cart.submit(create(idBeside(1))), 'OrderAlreadyExists');
    assert.equal(summary(await cart.log()).at(-1), 'ORD-1 v4 completed');
  });

  test('refuses an update above the last version, and takes the others of its batch', async (t) => {
    const directory = tempDir();
    await writeAsAnother(directory, [created('ORD-1'), statusUpdated('ORD-1', MAX_VERSION, 'confirmed')]);
    const cart = await startCart(t, directory);
    const answers = await Promise.all([update(1, 'shipped'), ...[2, 3, 4].map((id) => create(id))].map(cart.submit));
    assert.deepEqual(answers, ['StatusNotAllowed', 'done', 'done', 'done']);
  });

  test('forgets the key of an event that the log has overtaken, and publishes its repetition', async (t) => {
    const directory = tempDir();
    await overtake(t, directory);
    const second = await startCart(t, directory);
    assert.equal(await second.submit(keyed('k', update(1, 'confirmed'))), 'done');
    const own = summary(await second.log()).filter((event) => event.startsWith('ORD-1 '));
    assert.deepEqual(own, ['ORD-1 v1 created', 'ORD-1 v2 processing', 'ORD-1 v3 confirmed']);
  });

  test('drops such an event also if catching up was interrupted after the event that overtook it', async (t) => {
    const directory = tempDir();
    await overtake(t, directory);
    let isCut = true;
    const second = await startCart(t, directory, {
      prepare({ broker }) {
        const { read } = broker;
        broker.read = async function* (...args) {
          for await (const batch of read(...args)) {
            yield batch;
            const isPast = batch.partition === partitionOfOrder(1);
            if (isCut && isPast) {
              isCut = false;
              throw new Error('the connection was lost');
            }
          }
        };
      },
    });
    assert.equal(isCut, false);
    assert.equal(await second.submit(keyed('k', update(1, 'confirmed'))), 'done');
    const own = summary(await second.log()).filter((event) => event.startsWith('ORD-1 '));
    assert.deepEqual(own, ['ORD-1 v1 created', 'ORD-1 v2 processing', 'ORD-1 v3 confirmed']);
  });
});

/** Commits like a slow database server: they end after the deadline of their requests. */
const slowly = (store: CartStore): CartStore => ({
  ...store,
  async commit(batch) {
    await new Promise((resolve) => setTimeout(resolve, batch.outbox.length > 0 ? 400 : 0));
    return store.commit(batch);
  },
});

describe('the publisher on a slow store', () => {
  test('answers unknown if the deadline passes during the commit, because the event is published later', async (t) => {
    const cart = await startCart(t, tempDir(), { requestDeadlineMs: 200, wrapStore: slowly });
    assert.equal(await cart.submit(create(1)), 'KafkaTimeout unknown');
    await eventually(async () => assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created']));
    await untilDone(cart, create(1));
  });
});

describe('the publisher on a store that settles slowly', () => {
  test('lets a create succeed that is repeated meanwhile', async (t) => {
    const settling = Promise.withResolvers<void>();
    let isSettling = false;
    const cart = await startCart(t, tempDir(), {
      wrapStore: (store) => ({
        ...store,
        async commit(batch) {
          isSettling ||= batch.unanswered.length > 0;
          if (batch.unanswered.length > 0) await settling.promise;
          return store.commit(batch);
        },
      }),
    });
    cart.faulty.faults.push('written_unknown');
    assert.equal(await cart.submit(create(1)), 'KafkaTimeout unknown');
    await eventually(() => assert.ok(isSettling));
    const repeated = cart.submit(create(1));
    assert.equal(await Promise.race([repeated, sleep(100, 'waits')]), 'waits');
    settling.resolve();
    assert.equal(await repeated, 'done');
  });
});

describe('the full publisher', () => {
  test('refuses one request more than the limit at once, and takes others once there is room', async (t) => {
    const cart = await startCart(t, tempDir(), { queueLimit: 2 });
    cart.faulty.faults.push('held');
    const inside = [cart.submit(create(1)), cart.submit(create(2))];
    assert.equal(await cart.submit(create(3)), 'ProducerQueueFull unknown');
    await eventually(() => assert.equal(cart.faulty.published.length, 1));
    cart.faulty.release();
    assert.deepEqual(await Promise.all(inside), ['done', 'done']);
    assert.equal(await cart.submit(create(3)), 'done');
  });
});

describe('the publisher, started again', () => {
  test('publishes what the outbox holds before new work', async (t) => {
    const directory = tempDir();
    const first = await startCart(t, directory);
    await first.submit(create(1));
    first.faulty.faults.push('lost_unknown', 'lost_unknown', 'lost_unknown', 'lost_unknown');
    assert.equal(await first.submit(update(1, 'confirmed')), 'KafkaTimeout unknown');
    first.faulty.down = true;
    await first.close();

    const second = await startCart(t, directory);
    assert.equal(await second.submit(update(1, 'shipped')), 'done');
    assert.deepEqual(summary(await second.log()), ['ORD-1 v1 created', 'ORD-1 v2 confirmed', 'ORD-1 v3 shipped']);
  });

  test('finds in the log what was published without an acknowledgement, and does not publish it twice', async (t) => {
    const directory = tempDir();
    const first = await startCart(t, directory);
    first.faulty.faults.push('written_unknown');
    assert.equal(await first.submit(create(1)), 'KafkaTimeout unknown');
    first.faulty.down = true;
    await first.close();

    const second = await startCart(t, directory);
    assert.equal(await second.submit(create(1)), 'done', 'the client repeats what it got no answer to');
    assert.deepEqual(summary(await second.log()), ['ORD-1 v1 created']);
  });

  test('learns every order from the log if its store is deleted, so that no id and no version is given twice', async (t) => {
    const directory = tempDir();
    const first = await startCart(t, directory);
    await Promise.all([1, 2, 3].map((id) => first.submit(create(id))));
    await first.submit(update(2, 'confirmed'));
    await first.close();
    for (const file of ['cart.sqlite', 'cart.sqlite-wal', 'cart.sqlite-shm'])
      rmSync(join(directory, file), { force: true });

    const second = await startCart(t, directory);
    assert.equal(await second.submit(create(1)), 'OrderAlreadyExists');
    assert.equal(await second.submit(update(2, 'shipped')), 'done');
    assert.ok(summary(await second.log()).includes('ORD-2 v3 shipped'));
  });

  test('continues at the end of the log if its store is an older copy', async (t) => {
    const directory = tempDir();
    const first = await startCart(t, directory);
    await first.submit(create(1));
    first.faulty.faults.push('lost_unknown');
    assert.equal(await first.submit(update(1, 'confirmed')), 'KafkaTimeout unknown');
    first.faulty.down = true;
    await first.close();
    copyFileSync(join(directory, 'cart.sqlite'), join(directory, 'copy'));

    // Another store takes the order to version 3 meanwhile.
    for (const file of ['cart.sqlite', 'cart.sqlite-wal']) rmSync(join(directory, file), { force: true });
    const second = await startCart(t, directory);
    await second.submit(update(1, 'processing'));
    await second.submit(update(1, 'shipped'));
    await second.close();
    copyFileSync(join(directory, 'copy'), join(directory, 'cart.sqlite'));

    const third = await startCart(t, directory);
    assert.equal(await third.submit(update(1, 'delivered')), 'done');
    assert.deepEqual(summary(await third.log()), [
      'ORD-1 v1 created',
      'ORD-1 v2 processing',
      'ORD-1 v3 shipped',
      'ORD-1 v4 delivered',
    ]);
  });

  test('continues after the highest version if others write to the log, whatever their order', async (t) => {
    const directory = tempDir();
    await writeAsAnother(directory, [
      statusUpdated('ORD-1', 3, 'shipped'),
      created('ORD-1'),
      statusUpdated('ORD-1', 2, 'confirmed'),
    ]);

    const cart = await startCart(t, directory);
    await untilDone(cart, update(1, 'delivered'));
    assert.equal(summary(await cart.log()).at(-1), 'ORD-1 v4 delivered');
  });

  test('knows at its start what others wrote before its own last event', async (t) => {
    const directory = tempDir();
    const cart = await startCart(t, directory);
    await writeAsAnother(directory, [created('ORD-1')]);
    const beside = idBeside(1);
    assert.equal(await cart.submit(create(beside)), 'done');
    await cart.close();

    const again = await startCart(t, directory);
    assert.equal(await again.submit(create(1)), 'OrderAlreadyExists');
    assert.equal(await again.submit(create(beside)), 'OrderAlreadyExists');
  });

  test('refuses at once without a broker, and opens once there is one', async (t) => {
    const directory = tempDir();
    let absent = true;
    const faulty = withFaults(createEmbeddedBroker({ directory }));
    const store = createSqliteCartStore({ directory });
    const { ensureTopic } = faulty.broker;
    const publisher = await createPublisher({
      broker: {
        ...faulty.broker,
        ensureTopic: (...args) => (absent ? Promise.reject(new Error('no broker')) : ensureTopic(...args)),
      },
      store,
      topic: TOPIC,
      partitions: 3,
      requestDeadlineMs: 5_000,
      queueLimit: 10,
      logger: pino({ level: 'silent' }),
      circumstances: () => ({ now: 0, newId: () => 'id', random: Math.random }),
      observers: [],
    });
    t.after(async () => {
      await publisher.close(0);
      await faulty.broker.close();
      await store.close();
    });
    await eventually(() => assert.equal(publisher.status().reason, 'no broker'));
    assert.equal(brief(await publisher.submit(create(1))), 'KafkaBrokersUnavailable not_created');
    absent = false;
    await eventually(async () => assert.equal(brief(await publisher.submit(create(1))), 'done'));
  });
});

describe('the publisher, if others write to the log', () => {
  test('learns their orders and statuses while it runs: it can update those orders, and creates none again', async (t) => {
    const directory = tempDir();
    const cart = await startCart(t, directory);
    assert.equal(await cart.submit(update(1, 'confirmed')), 'OrderNotFound');
    await writeAsAnother(directory, [created('ORD-1'), statusUpdated('ORD-1', 2, 'shipped')]);
    // Its own event comes after theirs.
    assert.equal(await cart.submit(create(idBeside(1))), 'done');
    await eventually(async () => assert.equal(await cart.submit(update(1, 'delivered')), 'done'));
    assert.equal(await cart.submit(create(1)), 'OrderAlreadyExists');
    assert.deepEqual(
      summary(await cart.log()).filter((event) => event.startsWith('ORD-1 ')),
      ['ORD-1 v1 created', 'ORD-1 v2 shipped', 'ORD-1 v3 delivered'],
    );
  });

  test('reads nothing while no other producer writes', async (t) => {
    let reads = 0;
    let asked = 0;
    const cart = await startCart(t, tempDir(), {
      prepare({ broker }) {
        const { read, bounds } = broker;
        broker.read = (...args) => ((reads += 1), read(...args));
        broker.bounds = (...args) => ((asked += 1), bounds(...args));
      },
    });
    assert.equal(reads, 1, 'at the start');
    // After three requests for the ends, ends with its own events have been looked at.
    for (let id = 1; asked < 3; id += 1) {
      const before = asked;
      assert.equal(await cart.submit(create(id)), 'done');
      await eventually(() => assert.ok(asked > before));
    }
    assert.equal(reads, 1);
  });
});

describe('an Idempotency-Key', () => {
  test('gives the first answer again, publishes nothing more, and does so after a restart too', async (t) => {
    const directory = tempDir();
    const first = await startCart(t, directory);
    assert.equal(await first.submit(keyed('a', create(1))), 'done');
    assert.equal(await first.submit(keyed('a', create(1))), 'done');
    assert.equal(await first.submit(keyed('b', update(9, 'shipped'))), 'OrderNotFound');
    await first.submit(create(9));
    assert.equal(
      await first.submit(keyed('b', update(9, 'shipped'))),
      'OrderNotFound',
      'the first answer, though the order is there by now',
    );
    await first.close();

    const second = await startCart(t, directory);
    assert.equal(await second.submit(keyed('a', create(1))), 'done');
    assert.equal((await second.log()).length, 2);
  });

  test('is refused with another request', async (t) => {
    const cart = await startCart(t, tempDir());
    await cart.submit(keyed('a', create(1)));
    assert.equal(await cart.submit(keyed('a', create(1, 2))), 'IdempotencyKeyReused');
    assert.equal(await cart.submit(keyed('a', create(2))), 'IdempotencyKeyReused');
  });

  test('lets one of simultaneous requests succeed', async (t) => {
    const cart = await startCart(t, tempDir());
    const answers = await Promise.all([1, 2, 3].map((id) => cart.submit(keyed('a', create(id)))));
    assert.deepEqual(answers.toSorted(), ['IdempotencyKeyReused', 'IdempotencyKeyReused', 'done']);
  });

  test('is forgotten as usual after the clock was ahead for a while', async (t) => {
    const DAY_MS = 24 * 60 * 60 * 1_000;
    let now = Date.now();
    const expiries: (number | null)[] = [];
    const cart = await startCart(t, tempDir(), {
      circumstances: () => ({ now, newId: randomUUID, random: Math.random }),
      wrapStore: (store) => ({
        ...store,
        commit: (batch) => {
          expiries.push(batch.expireBefore);
          return store.commit(batch);
        },
      }),
    });
    const started = now;
    now += 3_650 * DAY_MS;
    assert.equal(await cart.submit(create(1)), 'done');
    now = started;
    let id = 2;
    await eventually(async () => {
      assert.equal(await cart.submit(create(id++)), 'done');
      assert.equal(expiries.at(-1), started - DAY_MS);
    }, 5_000);
  });

  test('is free again after its event was certainly not written', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.faults.push('not_written');
    assert.equal(await cart.submit(keyed('a', create(1))), 'KafkaBrokersUnavailable not_created');
    await untilDone(cart, keyed('a', create(1)));
    assert.equal((await cart.log()).length, 1);
  });
});

/** Gives every partition its own leader. The leader that has to take this order never answers. */
const killLeaderOf =
  (orderId: string) =>
  ({ broker }: FaultyBroker): void => {
    const { publish } = broker;
    Object.assign(broker, {
      leaderOf: (_topic: string, partition: number) => partition,
      publish: (...args: Parameters<typeof publish>) =>
        args[1].some((message) => message.key === orderId) ? new Promise(() => {}) : publish(...args),
    });
  };

const failObserving = (): never => {
  throw new Error('a fault of an observer');
};

describe('the publisher, if a part of it fails', () => {
  test('delays only the orders whose leader is dead', async (t) => {
    const cart = await startCart(t, tempDir(), {
      prepare: killLeaderOf('ORD-1'),
      requestDeadlineMs: 400,
    });
    const stuck = cart.submit(create(1));
    // Spread over the three partitions; the dead leader has only that of ORD-1.
    const others = await Promise.all([2, 3, 4, 5, 6, 7, 8, 9].map((id) => cart.submit(create(id))));
    assert.ok(others.filter((answer) => answer === 'done').length >= 4, others.join());
    assert.equal(await stuck, 'KafkaTimeout unknown');
  });

  test('does not try again and again to take requests whose idempotency key is in the batch of another leader', async (t) => {
    let loads = 0;
    const cart = await startCart(t, tempDir(), {
      prepare: killLeaderOf('ORD-1'),
      wrapStore: (store) => ({
        ...store,
        load: (...args) => {
          loads++;
          return store.load(...args);
        },
      }),
      requestDeadlineMs: 300,
    });
    const first = cart.submit(keyed('a', create(1)));
    await eventually(() => assert.equal(cart.status().unsettled, 1));
    const others = [2, 3, 4, 5].map((id) => cart.submit(keyed('a', create(id))));
    assert.equal(await first, 'KafkaTimeout unknown');
    await Promise.all(others);
    assert.ok(loads < 50, `${loads} loads`);
  });

  test('gives the answer of the event whatever an observer of publishes throws', async (t) => {
    const seen: Publish[] = [];
    const cart = await startCart(t, tempDir(), { observers: [failObserving, (publish) => seen.push(publish)] });
    assert.equal(await cart.submit(create(1)), 'done');
    cart.faulty.faults.push('not_written');
    assert.equal(await cart.submit(create(2)), 'KafkaBrokersUnavailable not_created');
    assert.deepEqual(
      seen.map(({ fates }) => fates.map(({ kind }) => kind)),
      [['acknowledged'], ['not_written']],
    );
  });

  test('refuses with nothing published when its store fails, and goes on when it works again', async (t) => {
    let broken = false;
    const cart = await startCart(t, tempDir(), {
      wrapStore: (store) => ({
        ...store,
        commit: (batch) =>
          broken ? Promise.reject(new StoreError('STORE_UNAVAILABLE', 'disk full')) : store.commit(batch),
      }),
    });
    broken = true;
    assert.equal(await cart.submit(create(1)), 'StoreUnavailable not_created');
    assert.deepEqual(await cart.log(), []);
    broken = false;
    assert.equal(await cart.submit(create(1)), 'done');
  });

  test('answers the waiting requests when it is closed, and takes no more', async (t) => {
    const cart = await startCart(t, tempDir(), { requestDeadlineMs: 60_000 });
    cart.faulty.faults.push('held');
    const inside = cart.submit(create(1));
    await eventually(() => assert.equal(cart.faulty.published.length, 1));
    const behind = cart.submit(create(2));
    const closed = cart.close();
    assert.deepEqual(await Promise.all([inside, behind]), ['done', 'done']);
    await closed;
    assert.equal(await cart.submit(create(3)), 'ServiceStopping unknown', 'the store is closed too');
  });
});
