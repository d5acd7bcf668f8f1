import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Message } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import {
  type Cart,
  create,
  idBeside,
  keyed,
  startCart,
  summary,
  untilDone,
  update,
} from '#tests/support/publisher_under_test.ts';
import { tempDir } from '#tests/support/temp_dir.ts';

const refuseOrder =
  (id: number) =>
  ({ key }: Message): boolean =>
    key === `ORD-${id}`;

const others = (n = 20): number[] => Array.from({ length: n }, (_, i) => 100 + i);

const untilSettled = (cart: Cart): Promise<void> => eventually(() => assert.equal(cart.status().unsettled, 0), 5_000);

describe('an event that Kafka refuses for what it is', () => {
  test('is answered not_created, and the other requests of its batch go on', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.refuses = refuseOrder(1);
    const answers = await Promise.all([keyed('a', create(1)), ...others().map((id) => create(id))].map(cart.submit));
    assert.equal(answers[0], 'KafkaBrokersUnavailable not_created');
    assert.deepEqual(new Set(answers.slice(1)), new Set(['done']));
    assert.deepEqual([cart.status().state, cart.status().dropped], ['open', 0]);
    await untilSettled(cart);
    cart.faulty.refuses = () => false;
    assert.equal(await cart.submit(keyed('a', create(1))), 'done');
  });

  test('is answered not_updated, and the order keeps its status', async (t) => {
    const cart = await startCart(t, tempDir());
    await cart.submit(create(1));
    cart.faulty.refuses = refuseOrder(1);
    assert.equal(await cart.submit(update(1, 'confirmed')), 'KafkaBrokersUnavailable not_updated');
    cart.faulty.refuses = () => false;
    assert.equal(await cart.submit(update(1, 'shipped')), 'done');
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created', 'ORD-1 v2 shipped']);
  });
});

describe('an event of the outbox that Kafka refuses for good', () => {
  test('is dropped if the log does not hold it, and a repetition of its request tries again', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.faults.push('lost_unknown');
    assert.equal(await cart.submit(keyed('a', create(1))), 'KafkaTimeout unknown');
    cart.faulty.refuses = refuseOrder(1);
    await untilSettled(cart);
    assert.equal(cart.status().dropped, 1);
    assert.equal(await cart.submit(keyed('a', create(1))), 'KafkaBrokersUnavailable not_created');
    assert.equal(await cart.submit(create(1, 2)), 'KafkaBrokersUnavailable not_created');
    cart.faulty.refuses = () => false;
    assert.equal(await cart.submit(keyed('a', create(1))), 'done');
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created']);
  });

  test('is settled if the log holds it, because an earlier attempt had written it', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.faults.push('written_unknown');
    assert.equal(await cart.submit(create(1)), 'KafkaTimeout unknown');
    cart.faulty.refuses = refuseOrder(1);
    await untilSettled(cart);
    assert.equal(cart.status().dropped, 0);
    assert.equal(await cart.submit(create(1)), 'done');
    assert.equal(await cart.submit(create(1, 2)), 'OrderAlreadyExists');
  });

  test('takes the order back to the status that the log has, with the same version for the next one', async (t) => {
    const cart = await startCart(t, tempDir());
    await cart.submit(create(1));
    await cart.submit(update(1, 'confirmed'));
    cart.faulty.faults.push('lost_unknown');
    assert.equal(await cart.submit(update(1, 'cancelled')), 'KafkaTimeout unknown');
    cart.faulty.refuses = refuseOrder(1);
    await untilSettled(cart);
    cart.faulty.refuses = () => false;
    assert.equal(await cart.submit(update(1, 'shipped')), 'done');
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created', 'ORD-1 v2 confirmed', 'ORD-1 v3 shipped']);
  });

  test('is dropped after a restart too, and holds up no other order', async (t) => {
    const directory = tempDir();
    const first = await startCart(t, directory);
    await first.submit(create(2));
    first.faulty.faults.push('lost_unknown');
    const left = [create(1), update(2, 'cancelled'), create(idBeside(1))].map(first.submit);
    assert.deepEqual(new Set(await Promise.all(left)), new Set(['KafkaTimeout unknown']));
    first.faulty.down = true;
    await first.close();

    const second = await startCart(t, directory, {
      prepare: (faulty) => (faulty.refuses = ({ key }) => key === 'ORD-1' || key === 'ORD-2'),
    });
    const answers = await Promise.all(others(120).map((id) => second.submit(create(id))));
    assert.deepEqual(new Set(answers), new Set(['done']));
    await untilSettled(second);
    assert.deepEqual([second.status().state, second.status().dropped], ['open', 2]);
    second.faulty.refuses = () => false;
    await untilDone(second, create(1));
    assert.equal(await second.submit(update(2, 'confirmed')), 'done');
    const kept = (await second.log()).filter(({ orderId }) => !/ORD-1\d\d|ORD-2\d\d/.test(orderId));
    assert.deepEqual(
      new Set(summary(kept)),
      new Set(['ORD-2 v1 created', `ORD-${idBeside(1)} v1 created`, 'ORD-1 v1 created', 'ORD-2 v2 confirmed']),
    );
  });

  test('holds up its partition alone while the log cannot be read', async (t) => {
    const cart = await startCart(t, tempDir(), { requestDeadlineMs: 300 });
    const { read } = cart.faulty.broker;
    cart.faulty.faults.push('lost_unknown');
    assert.equal(await cart.submit(create(1)), 'KafkaTimeout unknown');
    cart.faulty.broker.read = () => {
      throw new Error('an open transaction');
    };
    cart.faulty.refuses = refuseOrder(1);
    const answers = await eventually(async () => {
      const all = await Promise.all(others(30).map((id) => cart.submit(keyed(`${id}`, create(id)))));
      assert.ok(all.includes('done'));
      return all;
    });
    assert.deepEqual(new Set(answers.map((answer) => answer.split(' ').at(-1))), new Set(['done', 'not_created']));
    assert.equal(cart.status().state, 'open');
    cart.faulty.broker.read = read;
    await untilSettled(cart);
    for (const id of others(30)) await untilDone(cart, keyed(`${id}`, create(id)));
  });
});
