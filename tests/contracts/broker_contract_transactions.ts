import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Batch, Topic } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import { createScene, isBrokerError, keyOf, message, type Scene, untilHandled } from './broker_scene.ts';
import type { BrokerAddress, BrokerFeatures, TransactionalProducer } from './broker_under_test.ts';
import { publishAll, readAll } from './messages.ts';

/** Transactions of other producers: what is aborted does not exist, what is open is not there yet. */
export const transactionContract = (address: () => BrokerAddress, features: BrokerFeatures): void => {
  const options = { skip: features.transactionalProducer === undefined };

  const producerFor = async (scene: Scene, topic: Topic): Promise<TransactionalProducer> => {
    const producer = await features.transactionalProducer?.(address(), topic);
    assert(producer);
    scene.after(() => producer.close());
    return producer;
  };

  test('aborted transactions between committed ones do not exist, several of one producer too', options, async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const [first, second] = [await producerFor(scene, topic), await producerFor(scene, topic)];
    const live = scene.member(broker, topic);
    await publishAll(broker, topic, [message('key', 'plain-1')]);
    await inTransaction(first, [['aborted-1'], ['aborted-2']], 'abort');
    await inTransaction(first, [['aborted-3']], 'abort');
    await inTransaction(second, [['committed-1']], 'commit');
    await inTransaction(first, [['committed-2']], 'commit');
    await inTransaction(first, [['aborted-4']], 'abort');
    await publishAll(broker, topic, [message('key', 'plain-2')]);
    const expected = ['plain-1', 'committed-1', 'committed-2', 'plain-2'];
    assert.deepEqual(
      (await readAll(broker, topic)).map(({ value }) => value),
      expected,
    );
    await untilHandled(live, expected.length, 15_000);
    assert.deepEqual(
      live.handled.map(({ value }) => value),
      expected,
    );
  });

  test(
    'an aborted transaction that is larger than a fetch leaves nothing, live and from any position',
    options,
    async (t) => {
      const scene = createScene(t, address());
      const broker = scene.open();
      const topic = await scene.topic(broker);
      const producer = await producerFor(scene, topic);
      const live = scene.member(broker, topic);
      await publishAll(broker, topic, [message('key', 'before')]);
      const sends = numbered('aborted', 60, 20_000).map((value) => [value]);
      await inTransaction(producer, sends, 'abort');
      await inTransaction(producer, [['committed']], 'commit');
      const [after] = await publishAll(broker, topic, [message('key', 'after')]);
      const expected = ['before', 'committed', 'after'];
      assert.deepEqual(
        (await readAll(broker, topic)).map(({ value }) => value),
        expected,
      );
      for (const from of [1, 10, 30, 59, 60]) {
        const read = await readAll(broker, topic, new Map([[0, from]]));
        assert.deepEqual(
          read.map(({ value }) => value),
          ['committed', 'after'],
          `from ${from}`,
        );
      }
      assert(after !== undefined && after.offset > 60);
      await untilHandled(live, expected.length, 15_000);
    },
  );

  test('an open transaction counts as lag, and reading to the end waits for it', options, async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const producer = await producerFor(scene, topic);
    const lags: number[] = [];
    const onBatch = async ({ next, end }: Batch): Promise<void> => void lags.push(end - next);
    const live = scene.member(broker, topic, { onBatch });
    await publishAll(broker, topic, [message('key', 'before')]);
    await untilHandled(live, 1, 15_000);
    const transaction = await producer.begin();
    await transaction.send([{ key: 'key', value: 'held' }]);
    await publishAll(broker, topic, [message('key', 'behind')]);

    assert.deepEqual((await broker.bounds(topic.name)).get(0), { start: 0, end: 3 });
    await eventually(() => assert.equal(lags.at(-1), 2), 5_000);
    await assert.rejects(Array.fromAsync(broker.read(topic.name, new Map(), 2_000)), (error) => {
      assert(isBrokerError('TRANSACTION_OPEN')(error), String(error));
      assert.match(String(error), /partition 0 at offset 1, before its end 3/);
      return true;
    });
    const reading = readAll(broker, topic);
    await transaction.commit();
    assert.deepEqual(
      (await reading).map(({ value }) => value),
      ['before', 'held', 'behind'],
    );
    await untilHandled(live, 3, 15_000);
  });

  test('an open transaction in one partition does not keep the others from being read', options, async (t) => {
    const scene = createScene(t, address());
    const broker = scene.open();
    const topic = await scene.topic(broker, 2);
    const producer = await producerFor(scene, topic);
    const transaction = await producer.begin();
    await transaction.send([{ key: keyOf(0, 2), value: 'held' }]);
    await publishAll(scene.open(), topic, [message(keyOf(1, 2), 'free')]);
    const seen: string[] = [];
    await assert.rejects(async () => {
      for await (const { records } of broker.read(topic.name, new Map(), 2_000))
        seen.push(...records.map((r) => String(r.value)));
    }, isBrokerError('TRANSACTION_OPEN'));
    assert.deepEqual(seen, ['free']);
    await transaction.abort();
    assert.deepEqual(
      (await readAll(broker, topic)).map(({ value }) => value),
      ['free'],
    );
  });
};

/** One transaction, with one request for each list of values. */
const inTransaction = async (
  producer: TransactionalProducer,
  sends: readonly (readonly string[])[],
  end: 'commit' | 'abort',
): Promise<void> => {
  const transaction = await producer.begin();
  for (const values of sends) await transaction.send(values.map((value) => ({ key: 'key', value })));
  await transaction[end]();
};

const numbered = (name: string, count: number, padding = 0): string[] =>
  Array.from({ length: count }, (_, i) => `${name}-${i}${'.'.repeat(padding)}`);
