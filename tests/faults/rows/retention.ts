import assert from 'node:assert/strict';
import { endsOf } from '#kafka_common/ends_of.ts';
import { eventually } from '#tests/support/eventually.ts';
import { directOrderId, historyOf, publishAll, toMessage } from '#tests/faults/direct_events.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { withRawTopic } from '#tests/faults/raw_topic.ts';
import { readinessOf } from '#tests/faults/readiness.ts';
import { readView, untilViewHasAll } from '#tests/faults/stored_view.ts';

const CUT_FAMILY = 5;
const SWAPPED_FAMILY = 6;
const ORDERS = 200;
const APPLIED_MS = 30_000;

const retentionPassed: Fault = {
  name: 'retention-passed',
  title: 'retention passes the position while the consumer is down',
  rounds: { full: 5, short: 1 },
  on: { broker: 'kafka' },
  exempt: ['log', 'agreement'],

  async run(stage, round) {
    const lost = directOrders(CUT_FAMILY, round * 2);
    const kept = directOrders(CUT_FAMILY, round * 2 + 1);
    // First, the view must have read every partition: in an unread one it could not notice a loss.
    await untilViewHasAll(stage, APPLIED_MS);
    await stage.order.stop();
    await write(stage, lost);
    await withRawTopic(stage, async (raw) => {
      const ends = await endsOf(stage.broker, stage.topic);
      await raw.cut(ends);
      await write(stage, kept);
      await stage.order.start();
      stage.healed();
      await untilViewHasAll(stage, APPLIED_MS);
      // Each partition is counted and logged.
      assert.equal((await readinessOf(stage.order)).positionsLost, ends.size);
      const warnings = stage.order.output.filter((line) =>
        line.includes('the log no longer holds the position of the view'),
      );
      assert.ok(warnings.length >= ends.size, 'each partition is logged');
    });
    const { orders } = readView(stage.storeDir, stage.topic);
    for (const orderId of kept) assert.equal(orders.get(orderId)?.status, 'confirmed', orderId);
    for (const orderId of lost) assert.equal(orders.get(orderId), undefined, orderId);
  },
};

const topicMadeAgain: Fault = {
  name: 'topic-made-again',
  title: 'topic deleted under load, and made again',
  rounds: { full: 5, short: 1 },
  on: { broker: 'kafka' },
  exempt: ['log', 'agreement'],

  async run(stage, round) {
    const orders = directOrders(SWAPPED_FAMILY, round);
    const partitions = (await stage.broker.bounds(stage.topic)).size;
    const before = readView(stage.storeDir, stage.topic).orders.size;
    await withRawTopic(stage, (raw) => raw.remove());
    await eventually(async () => assert.equal(await stage.broker.describeTopic(stage.topic), null));
    await stage.broker.ensureTopic(stage.topic, partitions);
    stage.healed();
    await eventually(() => write(stage, orders));
    await eventually(() => {
      const view = readView(stage.storeDir, stage.topic).orders;
      for (const orderId of orders) assert.equal(view.get(orderId)?.status, 'confirmed', orderId);
      assert.ok(view.size >= before, 'orders of the former topic stay readable');
    }, APPLIED_MS);
    assert.ok((await readinessOf(stage.order)).positionsLost > 0, 'positions of the former topic are counted as lost');
    assert.ok(stage.order.output.some((line) => line.includes('the topic was deleted and made again')));
  },
};

export const retentionRows: readonly Fault[] = [retentionPassed, topicMadeAgain];

const directOrders = (family: number, round: number): string[] =>
  Array.from({ length: ORDERS }, (_, n) => directOrderId(family, round * 1_000 + n));

const write = (stage: Stage, orderIds: readonly string[]): Promise<void> =>
  publishAll(
    stage.broker,
    stage.topic,
    orderIds.flatMap((orderId) => historyOf(orderId, ['confirmed']).map(toMessage)),
  );
