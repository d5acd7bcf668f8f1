import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogRecord } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import type { AppliedBatch, LoadedViews } from '#order_service/consumer_db.ts';
import { redriveHeaders } from '#order_service/redrive/redrive_header.ts';
import { createRedriveProof } from '#order_service/redrive/redrive_proof.ts';
import { batchOf, created, record, statusUpdated } from '#tests/support/events.ts';
import { applyTransaction } from './apply_transaction.ts';
import type { Part } from './apply_queue.ts';

const NOW = 1_768_737_600_000;
const REDRIVE_PROOF = createRedriveProof(Buffer.alloc(32, 'a key for tests'));

const partOf = (partition: number, first: number, contents: readonly (OrderEvent | string)[]): Part => ({
  ...batchOf(partition, first, contents),
  from: first,
  isLastOfBatch: true,
});

const apply = async (parts: readonly Part[], loaded: Partial<LoadedViews> = {}) => {
  const asked: unknown[] = [];
  const batches: AppliedBatch[] = [];
  const db = {
    load: (...args: unknown[]) => {
      asked.push(args);
      return Promise.resolve({
        views: new Map(),
        seenEventIds: new Set(),
        basis: 7,
        ...loaded,
      });
    },
    applyBatch: (batch: AppliedBatch) => {
      batches.push(batch);
      return Promise.resolve();
    },
  } as unknown as Parameters<typeof applyTransaction>[0];
  const applied = await applyTransaction(db, parts, () => NOW, REDRIVE_PROOF);
  return { applied, asked, batch: batches[0] ?? assert.fail('nothing was applied') };
};

describe('a transaction', () => {
  test('loads each order once, and looks up the ids of events without a version', async () => {
    const events = [created('ORD-1'), statusUpdated('ORD-1', null, 'shipped', 'e'), created('ORD-2', null, 'f')];
    const { asked } = await apply([partOf(0, 0, events)]);
    assert.deepEqual(asked, [
      [
        ['ORD-1', 'ORD-2'],
        ['e', 'f'],
      ],
    ]);
  });

  test('moves each partition from the position of the view to the next one', async () => {
    const { batch } = await apply([partOf(0, 3, [created('ORD-1')]), partOf(2, 9, [])]);
    const topic = { topic: 'orders.events', topicId: 'topic-1' };
    assert.deepEqual(batch.positions, [
      { ...topic, partition: 0, from: 3, next: 4 },
      { ...topic, partition: 2, from: 9, next: 9 },
    ]);
  });

  test('applies its events to what the view has, and names the orders that are there afterwards', async () => {
    const views = new Map([['ORD-1', { orderId: 'ORD-1', version: 1, status: 'new' as const, pendingSince: null }]]);
    const events = [statusUpdated('ORD-1', 2, 'shipped'), statusUpdated('ORD-2', 2, 'confirmed')];
    const { applied, batch } = await apply([partOf(0, 0, events)], { views });
    assert.deepEqual(batch.views, [
      { orderId: 'ORD-1', version: 2, status: 'shipped', pendingSince: null },
      { orderId: 'ORD-2', version: 2, status: 'confirmed', pendingSince: NOW },
    ]);
    assert.deepEqual([batch.basis, applied.orderIds], [7, ['ORD-1']]);
    assert.ok(applied.startedAt <= applied.endedAt);
  });

  test('adds each of its events to the history, with its outcome', async () => {
    const events = [created('ORD-1'), statusUpdated('ORD-1', 2, 'shipped'), created('ORD-1')];
    const { applied, batch } = await apply([partOf(4, 7, events)]);
    const event = { orderId: 'ORD-1', timestamp: Date.parse('2026-01-18T12:00:00.000Z'), partition: 4 };
    assert.deepEqual(batch.history, [
      { ...event, type: 'ORDER_CREATED', version: 1, status: 'new', offset: 7, outcome: 'applied' },
      { ...event, type: 'ORDER_STATUS_UPDATED', version: 2, status: 'shipped', offset: 8, outcome: 'applied' },
      { ...event, type: 'ORDER_CREATED', version: 1, status: 'new', offset: 9, outcome: 'duplicate' },
    ]);
    assert.deepEqual([batch.orders.length, applied.history], [1, batch.history]);
  });

  test('sets aside what is not an event', async () => {
    const { batch, applied } = await apply([partOf(0, 0, ['no event'])]);
    assert.deepEqual(
      batch.deadLetters.map(({ storedAt, reason }) => [storedAt, reason]),
      [[NOW, 'the value is not JSON']],
    );
    assert.deepEqual([batch.history, batch.redriven, applied.deadLetters], [[], [], batch.deadLetters]);
  });
});

const applyWith = async (content: OrderEvent | string, headers: LogRecord['headers'], partition = 4) => {
  const records = [record(''), record(content, { offset: 5, headers, timestamp: 9 })];
  return (await apply([{ ...partOf(partition, 4, []), records, next: 6 }])).batch.redriven;
};

describe('a redriven message', () => {
  const LETTER = { topic: 'orders.events', partition: 3, offset: 0 };
  const TARGET = { topicId: 'topic-1', partition: 4 };

  test('marks its letter with what became of it', async () => {
    const headers = redriveHeaders(LETTER, REDRIVE_PROOF(LETTER, TARGET));
    const mark = { letter: LETTER, at: 9, partition: 4, offset: 5 };
    assert.deepEqual(await applyWith(created('ORD-1'), headers), [{ ...mark, outcome: 'applied' }]);
    assert.deepEqual(await applyWith('no event', headers), [{ ...mark, outcome: 'dead_letter' }]);
  });

  test('marks nothing without the proof of this service for this place', async () => {
    const headers = redriveHeaders(LETTER, REDRIVE_PROOF(LETTER, TARGET));
    for (const content of [created('ORD-1'), 'no event']) {
      assert.deepEqual(await applyWith(content, headers, 5), []);
      assert.deepEqual(await applyWith(content, headers.slice(0, 1)), []);
    }
  });
});
