import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Topic } from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { A_TOPIC, creation, unsettledIn, waitingFor } from '#tests/support/cart_parts.ts';
import { create } from '#tests/support/cart_requests.ts';
import { createTopicQueues } from './topic_queues.ts';

const OTHER: Topic = { ...A_TOPIC, id: 'topic-2', partitions: 3 };
const ROWS = [creation(1), creation(2), creation(3)];
const partitionIn = ({ partitions }: Topic, id: number): number => partitionOf(`ORD-${id}`, partitions);

const seqs = (rows: readonly { readonly seq: number }[]): number[] => rows.map(({ seq }) => seq);

describe('the queues of a topic', () => {
  test('do not exist before it is open; until then only the outbox is known', () => {
    const queues = createTopicQueues(ROWS);
    assert.deepEqual([queues.topic, queues.all, queues.whyClosed], [null, [], null]);
    assert.equal(queues.queueOf('ORD-1'), undefined);
    assert.deepEqual(queues.unsettled, ROWS);
    assert.deepEqual([queues.hasUnsettled(0), createTopicQueues([]).hasUnsettled(0)], [true, false]);
    assert.deepEqual([queues.isUnsettled('ORD-2'), queues.isUnsettled('ORD-9')], [true, false]);
  });

  test('are one for each partition, and hold what is left of the outbox', () => {
    const queues = createTopicQueues([...ROWS, creation(4)]);
    const signal = queues.open(A_TOPIC, ROWS);
    assert.deepEqual([queues.topic, signal.aborted, queues.whyClosed], [A_TOPIC, false, null]);
    assert.deepEqual(
      queues.all.map(({ partition }) => partition),
      [0, 1, 2, 3, 4, 5],
    );
    assert.deepEqual(new Set(seqs(queues.unsettled)), new Set([1, 2, 3]));
    for (const id of [1, 2, 3]) {
      const partition = partitionIn(A_TOPIC, id);
      assert.equal(queues.queueOf(`ORD-${id}`)?.partition, partition);
      assert.ok(seqs(queues.all[partition]?.unsettled ?? []).includes(id));
      assert.deepEqual([queues.hasUnsettled(partition), queues.isUnsettled(`ORD-${id}`)], [true, true]);
    }
    const empty = [0, 1, 2, 3, 4, 5].filter((n) => ![1, 2, 3].some((id) => partitionIn(A_TOPIC, id) === n));
    assert.ok(empty.length > 0 && empty.every((n) => !queues.hasUnsettled(n)));
    assert.equal(queues.isUnsettled('ORD-4'), false);
  });

  test('are closed for the reason given, and then no longer found by order', () => {
    const queues = createTopicQueues([]);
    const signal = queues.open(A_TOPIC, ROWS);
    queues.close(OTHER, 'not open');
    assert.deepEqual([queues.topic, signal.aborted], [A_TOPIC, false]);
    queues.close(A_TOPIC, 'made again');
    assert.deepEqual([queues.topic, signal.aborted, signal.reason], [null, true, 'made again']);
    assert.equal(queues.whyClosed, 'made again');
    assert.equal(queues.queueOf('ORD-1'), undefined);
  });

  test('of the former topic still hold what is unsettled', () => {
    const queues = createTopicQueues([]);
    queues.open(A_TOPIC, ROWS);
    queues.close(A_TOPIC, 'made again');
    assert.equal(queues.all.length, A_TOPIC.partitions);
    assert.deepEqual(new Set(unsettledIn(queues.all)), new Set([1, 2, 3]));
    assert.deepEqual([queues.isUnsettled('ORD-1'), queues.isUnsettled('ORD-9')], [true, false]);
  });

  test('are replaced together, and the requests that wait go into the new ones', () => {
    const queues = createTopicQueues([]);
    queues.open(A_TOPIC, ROWS);
    const waiting = [1, 2, 3, 4].map((id) => waitingFor(create(id)));
    for (const each of waiting) queues.queueOf(each.request.command.orderId)?.enqueue(each);
    queues.close(A_TOPIC, 'made again');
    const signal = queues.open(OTHER, [creation(2)]);
    assert.deepEqual([queues.topic, queues.all.length, signal.aborted, queues.whyClosed], [OTHER, 3, false, null]);
    assert.deepEqual(seqs(queues.unsettled), [2]);
    for (const each of waiting) {
      const { orderId } = each.request.command;
      const offered: unknown[] = [];
      queues.queueOf(orderId)?.offer((other) => offered.push(other) < 0);
      assert.ok(offered.includes(each));
    }
  });
});
