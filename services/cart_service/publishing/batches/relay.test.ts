import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fate } from '#kafka_common/broker.ts';
import { createPartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { A_TOPIC, confirmation, creation, unsettledIn } from '#tests/support/cart_parts.ts';
import type { EventSender } from './event_sender.ts';
import type { RefusedEvents } from './refused_events.ts';
import { createRelay } from './relay.ts';
import type { Settlements } from './settlements.ts';

const ACKNOWLEDGED: Fate = { kind: 'acknowledged', partition: 0, offset: 7 };
const NOT_WRITTEN: Fate = { kind: 'not_written', detail: 'down' };
const REFUSED: Fate = { kind: 'not_written', fault: 'message', detail: 'too large' };

/** Relays what these queues hold to a broker that gives these fates. */
const relay = async (rowsOfQueues: readonly (readonly OutboxRow[])[], fates: readonly Fate[]) => {
  const queues = rowsOfQueues.map((rows, partition) => createPartitionQueue(partition, rows));
  const sent: number[] = [];
  const acknowledged: unknown[] = [];
  const decided: unknown[] = [];
  const sender: Pick<EventSender, 'send'> = {
    send: (topic, rows, requests) => {
      assert.deepEqual([topic, requests], [A_TOPIC, null]);
      sent.push(...rows.map(({ seq }) => seq));
      return Promise.resolve(fates);
    },
  };
  const settlements: Pick<Settlements, 'acknowledged'> = {
    acknowledged: (row, position, topic, answered) => void acknowledged.push([row.seq, position, topic, answered]),
  };
  const refusedEvents: Pick<RefusedEvents, 'decide'> = {
    decide: (topic, concerned, refused) => {
      decided.push([topic, concerned.map(({ partition }) => partition), refused.map(({ seq }) => seq)]);
      return Promise.resolve();
    },
  };
  const work = createRelay({ sender, settlements, refusedEvents } as Parameters<typeof createRelay>[0]);
  const result = await work(A_TOPIC, queues);
  return { result, sent, acknowledged, decided, left: unsettledIn(queues) };
};

describe('the relay', () => {
  test('sends the first event of each order, in publishing order', async () => {
    const { sent } = await relay(
      [
        [creation(1, 2), confirmation(1, 4)],
        [creation(2, 1), creation(3, 3)],
      ],
      [],
    );
    assert.deepEqual(sent, [1, 2, 3]);
  });

  test('sends 500 events at most', async () => {
    const rows = Array.from({ length: 501 }, (_, n) => creation(n, n));
    assert.deepEqual(
      (await relay([rows], [])).sent,
      rows.slice(0, 500).map(({ seq }) => seq),
    );
  });

  test('settles what is acknowledged; its client has its answer already', async () => {
    const { acknowledged, left, result } = await relay([[creation(1), creation(2)]], [ACKNOWLEDGED, NOT_WRITTEN]);
    assert.deepEqual([acknowledged, left], [[[1, ACKNOWLEDGED, A_TOPIC, false]], [2]]);
    assert.deepEqual(result, { taken: true, sent: 2, trouble: { with: 'leader', reason: 'down' } });
  });

  test('keeps an event without a fate', async () => {
    const { acknowledged, decided, left } = await relay([[creation(1), creation(2)]], [ACKNOWLEDGED]);
    assert.deepEqual([acknowledged.length, decided, left], [1, [], [2]]);
  });

  test('sets aside every partition with an event that Kafka refuses for good', async () => {
    const { decided } = await relay([[creation(1)], [creation(2)], [creation(3)]], [REFUSED, ACKNOWLEDGED, REFUSED]);
    assert.deepEqual(decided, [[A_TOPIC, [0, 2], [1, 3]]]);
  });

  test('sets aside only the partitions of events that Kafka refuses for good, until they are decided', async () => {
    const { result, decided, left } = await relay([[creation(1)], [creation(2)]], [ACKNOWLEDGED, REFUSED]);
    assert.deepEqual(decided, [[A_TOPIC, [1], [2]]]);
    assert.deepEqual(left, [2]);
    assert.deepEqual(
      result.aside?.queues.map(({ partition }) => partition),
      [1],
    );
    await result.aside.until;
    assert.deepEqual([result.taken, result.sent, result.trouble], [true, 2, null]);
  });
});
