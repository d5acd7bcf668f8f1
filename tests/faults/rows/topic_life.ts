import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Topic } from '#kafka_common/broker.ts';
import { createOrder, orderDetails } from '#tests/e2e/api.ts';
import { eventually } from '#tests/support/eventually.ts';
import { directOrderId, historyOf, publishAll, toMessage } from '#tests/faults/direct_events.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { withRawTopic } from '#tests/faults/raw_topic.ts';

/** What administrators do to the topic under load. */

const FAMILY = 13;
const CONSUMED_MS = 10_000;
const WORKS_AGAIN_MS = 20_000;
const REFUSED_MS = 4_000;
/** More than some small events, less than one of 900 items. */
const ALLOWED_BYTES = 20_000;

const partitionsAdded: Fault = {
  name: 'partitions-added',
  title: 'two partitions added under load: their orders are readable within 10 s',
  rounds: { full: 20, short: 1 },
  on: { broker: 'kafka' },

  async run(stage, round) {
    const before = (await stage.broker.bounds(stage.topic)).size;
    const count = before + 2;
    await withRawTopic(stage, (raw) => raw.grow(count));
    const at = performance.now();
    await eventually(async () => assert.equal((await stage.broker.describeTopic(stage.topic))?.partitions, count));
    // Orders in all partitions, written by the service itself.
    const ids = Array.from({ length: 10 * count }, (_, n) => directOrderId(FAMILY, round * 1_000 + n));
    for (const order_id of ids)
      await eventually(async () => {
        const { status } = await createOrder(stage.cart.url, { order_id, number_of_items: 1 });
        assert.equal(status, 200, order_id);
      }, WORKS_AGAIN_MS);
    for (const id of ids)
      await eventually(
        async () => assert.equal((await orderDetails(stage.order.url, id)).status, 200, `${id} cannot be read`),
        Math.max(0, at + CONSUMED_MS * stage.patience - performance.now()),
      );
    stage.note(`${count} partitions: all readable after ${(performance.now() - at).toFixed(0)} ms`);
    stage.healed();
    await eventually(async () => {
      const bounds = await stage.broker.bounds(stage.topic);
      const added = [...bounds].filter(([partition]) => partition >= before);
      assert.ok(
        added.every(([, { end }]) => end > 0),
        'the added partitions are used',
      );
    });
  },
};

/** In each round the next of these follows the deletion. */
const AFTERWARDS = ['nobody makes it again', 'made again with fewer', 'made again with more'] as const;

const topicLife: Fault = {
  name: 'topic-deleted',
  title: 'topic deleted under load: left so, or made again with fewer or more partitions',
  rounds: { full: 21, short: 3 },
  on: { broker: 'kafka' },
  exempt: ['log', 'agreement'],

  async run(stage, round) {
    const before = await topicOf(stage);
    const afterwards = AFTERWARDS[round % AFTERWARDS.length];
    await withRawTopic(stage, async (raw) => {
      await raw.remove();
      if (afterwards === 'nobody makes it again') return;
      const wanted =
        afterwards === 'made again with fewer' ? Math.max(1, before.partitions - 1) : before.partitions + 2;
      await makeAgain(stage, wanted);
    });
    await eventually(async () => assert.notEqual((await topicOf(stage)).id, before.id), WORKS_AGAIN_MS);
    const at = performance.now();
    stage.healed();
    // What the service answers 200 now can be read, and so can what others write.
    const own = directOrderId(FAMILY, 500_000 + round * 2);
    await eventually(async () => {
      const { status } = await createOrder(stage.cart.url, { order_id: own, number_of_items: 1 });
      assert.equal(status, 200, `after the deletion (${afterwards}) no order can be created`);
    }, WORKS_AGAIN_MS);
    const foreign = directOrderId(FAMILY, 500_000 + round * 2 + 1);
    await publishAll(stage.broker, stage.topic, historyOf(foreign, ['confirmed']).map(toMessage));
    for (const id of [own, foreign])
      await eventually(
        async () => assert.equal((await orderDetails(stage.order.url, id)).status, 200, `${id} cannot be read`),
        WORKS_AGAIN_MS,
      );
    stage.note(`${afterwards}: works ${(performance.now() - at).toFixed(0)} ms after the topic was there`);
    for (const { url } of [stage.cart, stage.order])
      await eventually(async () => assert.equal((await fetch(`${url}/health/ready`)).status, 200), WORKS_AGAIN_MS);
  },
};

const tooLarge: Fault = {
  name: 'one-too-large',
  title: 'orders larger than the topic allows, beside small ones: only they are refused',
  rounds: { full: 20, short: 1 },
  on: { broker: 'kafka' },

  async run(stage, round) {
    await withRawTopic(stage, async (raw) => {
      await raw.set('max.message.bytes', String(ALLOWED_BYTES));
      // The broker applies the setting a moment later.
      const from = performance.now();
      let number = 0;
      await eventually(async () => assert.equal((await large(stage, round, number++)).status, 503), WORKS_AGAIN_MS);
      while (performance.now() < from + REFUSED_MS) {
        const { status, body } = await large(stage, round, number++);
        assert.equal(status, 503);
        assert.equal(body['outcome'], 'not_created', JSON.stringify(body));
        await sleep(50);
      }
      const small = stage.load.exchanges.filter(
        ({ request, askedAt }) => request.kind !== 'read' && askedAt > from && askedAt < from + REFUSED_MS,
      );
      const refused = small.filter(({ answer }) => answer === null || answer.status >= 500);
      assert.ok(small.length > 0, 'no small order was sent');
      assert.deepEqual(
        refused.slice(0, 3).map(({ request, answer }) => ({ request, answer })),
        [],
        `${refused.length} of ${small.length} small requests were refused`,
      );
      stage.note(`${small.length} small requests beside the large ones, none refused`);
      await raw.set('max.message.bytes', null);
    });
    stage.healed();
    await eventually(async () => assert.equal((await large(stage, round, 900)).status, 200), WORKS_AGAIN_MS);
  },
};

export const topicLifeRows: readonly Fault[] = [partitionsAdded, topicLife, tooLarge];

const topicOf = async (stage: Stage): Promise<Topic> => {
  const topic = await stage.broker.describeTopic(stage.topic);
  assert.ok(topic !== null, 'the topic does not exist');
  return topic;
};

/** The Cart Service may make the topic first, with its own number of partitions. */
const makeAgain = async (stage: Stage, partitions: number): Promise<void> => {
  await eventually(() => stage.broker.ensureTopic(stage.topic, partitions), WORKS_AGAIN_MS);
};

const large = (stage: Stage, round: number, number: number) =>
  createOrder(stage.cart.url, {
    order_id: directOrderId(FAMILY, 800_000 + round * 1_000 + number),
    number_of_items: 900,
  });
