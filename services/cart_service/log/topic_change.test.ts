import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { BrokerError, type Topic } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import {
  type Cart,
  create,
  deleteTopic,
  keyed,
  startCart,
  summary,
  TOPIC,
  untilDone,
  update,
} from '#tests/support/publisher_under_test.ts';
import { tempDir } from '#tests/support/temp_dir.ts';

const ids = (n: number, from = 100): number[] => Array.from({ length: n }, (_, i) => from + i);

/** Its topic is another one from the next look on: with another id, or other partitions. */
const changeTopic = (cart: Cart, change: Partial<Topic>): void => {
  const { describeTopic, ensureTopic, read } = cart.faulty.broker;
  const changed = (topic: Topic): Topic => ({ ...topic, ...change });
  cart.faulty.broker.describeTopic = async (name) => {
    const topic = await describeTopic(name);
    return topic && changed(topic);
  };
  cart.faulty.broker.ensureTopic = async (...args) => changed(await ensureTopic(...args));
  cart.faulty.broker.read = async function* (...args) {
    for await (const batch of read(...args)) yield { ...batch, topic: changed(batch.topic) };
  };
};

describe('the publisher, if its topic changes', () => {
  test('creates a topic that was deleted, and goes on with the orders that it knows', async (t) => {
    const directory = tempDir();
    const cart = await startCart(t, directory);
    await cart.submit(create(1));
    deleteTopic(directory);
    await untilDone(cart, update(1, 'confirmed'));
    for (const id of ids(10)) await untilDone(cart, keyed(`${id}`, create(id)));
    assert.equal(await cart.submit(create(1, 2)), 'OrderAlreadyExists');
    const log = summary(await cart.log());
    assert.deepEqual([log.length, log.filter((line) => line.startsWith('ORD-1 '))], [11, ['ORD-1 v2 confirmed']]);
  });

  test('notices it without any request, says so, and gives what the outbox holds to the new topic', async (t) => {
    const directory = tempDir();
    const cart = await startCart(t, directory);
    const { ensureTopic } = cart.faulty.broker;
    cart.faulty.broker.ensureTopic = () => Promise.reject(new BrokerError('UNAVAILABLE', 'no rights to create it'));
    cart.faulty.faults.push('lost_unknown');
    const asked = cart.submit(create(1));
    deleteTopic(directory);
    assert.match(await asked, /unknown/);
    await eventually(() => assert.equal(cart.status().reason, 'no rights to create it'), 5_000);
    assert.deepEqual([cart.status().state, cart.status().unsettled], ['starting', 1]);
    assert.equal(await cart.submit(create(1)), 'KafkaBrokersUnavailable unknown');
    assert.equal(await cart.submit(create(2)), 'KafkaBrokersUnavailable not_created');
    cart.faulty.broker.ensureTopic = ensureTopic;
    await eventually(() => assert.deepEqual([cart.status().state, cart.status().unsettled], ['open', 0]), 5_000);
    assert.equal(await cart.submit(create(1)), 'done');
    assert.deepEqual(summary(await cart.log()), ['ORD-1 v1 created']);
  });

  for (const partitions of [1, 2, 5]) {
    test(`gives the requests that wait to the queues of its ${partitions} partitions`, async (t) => {
      const cart = await startCart(t, tempDir());
      const sentTo: Topic[] = [];
      const { publish } = cart.faulty.broker;
      cart.faulty.broker.publish = async (topic, ...rest) => {
        sentTo.push(topic);
        const known = (await cart.faulty.broker.describeTopic(TOPIC)) ?? topic;
        if (known.partitions === topic.partitions) return publish({ ...topic, partitions: 3 }, ...rest);
        return rest[0].map(() => ({ kind: 'not_written', detail: 'other partitions', fault: 'topic' }));
      };
      cart.faulty.faults.push('held');
      const first = cart.submit(create(1));
      await eventually(() => assert.equal(sentTo.length, 1));
      const waiting = ids(20).map((id) => cart.submit(create(id)));
      changeTopic(cart, { partitions });
      await eventually(() => assert.equal(cart.status().state, 'starting'), 5_000);
      cart.faulty.release();
      assert.deepEqual(new Set(await Promise.all([first, ...waiting])), new Set(['done']));
      assert.deepEqual(new Set(sentTo.slice(1).map((topic) => topic.partitions)), new Set([partitions]));
    });
  }

  test('sends nothing without bound while what it is told of the topic is out of date', async (t) => {
    const cart = await startCart(t, tempDir());
    cart.faulty.faults.push('lost_unknown');
    assert.match(await cart.submit(create(1)), /unknown/);
    const { publish } = cart.faulty.broker;
    let sent = 0;
    cart.faulty.broker.publish = async (_topic, messages) => {
      sent += 1;
      return messages.map(() => ({ kind: 'not_written', detail: 'another id', fault: 'topic' }));
    };
    await sleep(2_000);
    assert.ok(sent > 1 && sent < 10, `${sent} sends in 2 s`);
    cart.faulty.broker.publish = publish;
    await untilDone(cart, create(1));
    assert.equal(cart.status().state, 'open');
  });
});

describe('the publisher, if an open transaction holds up the log', () => {
  test('says at its start what it waits for', async (t) => {
    const reason = 'an open transaction holds up partition 0 at offset 3, before its end 5';
    let isOpen = true;
    const cart = await startCart(
      t,
      tempDir(),
      {
        prepare: ({ broker }) => {
          const { read } = broker;
          broker.read = (...args) => {
            if (isOpen) throw new BrokerError('TRANSACTION_OPEN', reason);
            return read(...args);
          };
        },
      },
      false,
    );
    await eventually(() => assert.deepEqual([cart.status().state, cart.status().reason], ['starting', reason]));
    assert.equal(await cart.submit(create(1)), 'KafkaBrokersUnavailable not_created');
    isOpen = false;
    await untilDone(cart, create(1));
  });
});
