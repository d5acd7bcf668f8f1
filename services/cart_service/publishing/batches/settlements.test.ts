import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Topic } from '#kafka_common/broker.ts';
import { createLogPositions } from '#cart_service/log/log_positions.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { createSettlements } from './settlements.ts';

const TOPIC: Topic = { name: 'orders.events', id: 'topic-1', partitions: 3 };
const NOW = 1_768_737_600_000;
const NOTHING = { settled: [], ahead: [], unanswered: [], positions: [] };

const row = (seq: number, fingerprint: string | null = null): OutboxRow => ({
  seq,
  eventId: `event-${seq}`,
  orderId: `ORD-${seq}`,
  message: { key: `ORD-${seq}`, value: '{"version":1}', headers: {} },
  fingerprint,
  idempotencyKey: null,
});

const at = (partition: number, offset: number) => ({ partition, offset });
const seen = (partition: number, next: number) => ({ partition, topicId: 'topic-1', next });

const ahead = (seq: number, offset: number) => ({ orderId: `ORD-${seq}`, version: 1, offset });

const level = (...positions: [partition: number, next: number][]) => {
  const log = createLogPositions();
  log.startFrom(new Map(positions));
  return log;
};

describe('settlements', () => {
  test('start empty', () => {
    const settlements = createSettlements(level(), () => NOW);
    assert.equal(settlements.isEmpty, true);
    assert.deepEqual(settlements.take(), NOTHING);
  });

  test('hold every acknowledged event and, for each partition, the position after the last one', () => {
    const settlements = createSettlements(level([0, 7]), () => NOW);
    settlements.acknowledged(row(1), at(0, 7), TOPIC, true);
    settlements.acknowledged(row(2), at(2, 0), TOPIC, true);
    settlements.acknowledged(row(3), at(0, 8), TOPIC, true);
    settlements.acknowledged(row(4), at(0, 9), TOPIC, true);
    assert.equal(settlements.isEmpty, false);
    assert.deepEqual(settlements.take(), {
      settled: [row(1), row(2), row(3), row(4)],
      ahead: [],
      unanswered: [],
      positions: [seen(0, 10), seen(2, 1)],
    });
  });

  test('hold no position beyond an event of another producer, until that is read', () => {
    const log = level([0, 7]);
    const settlements = createSettlements(log, () => NOW);
    settlements.acknowledged(row(1), at(0, 7), TOPIC, true);
    settlements.acknowledged(row(2), at(0, 9), TOPIC, true);
    settlements.acknowledged(row(3), at(0, 10), TOPIC, true);
    assert.deepEqual(settlements.take(), {
      settled: [row(1), row(2), row(3)],
      ahead: [ahead(2, 9), ahead(3, 10)],
      unanswered: [],
      positions: [seen(0, 8)],
    });
    assert.equal(log.isBehind(new Map([[0, 8]])), false);
    assert.equal(log.isBehind(new Map([[0, 9]])), true);
    log.readUpTo(0, 11);
    assert.equal(log.isBehind(new Map([[0, 11]])), false);
    settlements.acknowledged(row(4), at(0, 11), TOPIC, true);
    assert.deepEqual(settlements.take().positions, [seen(0, 12)]);
  });

  test('keep the offset of an event behind one of another producer until that is stored', () => {
    const settlements = createSettlements(level(), () => NOW);
    settlements.acknowledged(row(1), at(0, 0), TOPIC, true);
    settlements.acknowledged(row(2), at(0, 2), TOPIC, true);
    const first = settlements.take();
    assert.deepEqual([...settlements.ahead], [['ORD-2', 2]]);
    settlements.giveBack(first);
    settlements.acknowledged(row(2), at(0, 4), TOPIC, true);
    settlements.stored(first);
    assert.deepEqual([...settlements.ahead], [['ORD-2', 4]]);
    const second = settlements.take();
    assert.deepEqual(second.ahead, [ahead(2, 2), ahead(2, 4)]);
    settlements.stored(second);
    assert.equal(settlements.ahead.size, 0);
  });

  test('hold the fingerprint of a create whose client was not answered a success, and no other', () => {
    const settlements = createSettlements(level(), () => NOW);
    settlements.acknowledged(row(1, 'answered'), at(0, 0), TOPIC, true);
    settlements.acknowledged(row(2, 'unanswered'), at(0, 1), TOPIC, false);
    settlements.acknowledged(row(3, null), at(0, 2), TOPIC, false);
    assert.deepEqual(settlements.take().unanswered, [{ orderId: 'ORD-2', fingerprint: 'unanswered', at: NOW }]);
  });

  test('are empty once they are taken', () => {
    const settlements = createSettlements(level(), () => NOW);
    settlements.acknowledged(row(1, 'f'), at(0, 0), TOPIC, false);
    settlements.take();
    assert.equal(settlements.isEmpty, true);
    assert.deepEqual(settlements.take(), NOTHING);
  });

  test('that are given back are there beside newer ones, and no position goes back', () => {
    const settlements = createSettlements(level([0, 4], [1, 4]), () => NOW);
    settlements.acknowledged(row(1, 'f'), at(0, 4), TOPIC, false);
    settlements.acknowledged(row(2), at(1, 4), TOPIC, true);
    const taken = settlements.take();
    settlements.acknowledged(row(3, 'g'), at(0, 5), TOPIC, false);
    settlements.giveBack(taken);
    const { settled, unanswered, positions } = settlements.take();
    assert.deepEqual(new Set(settled.map(({ seq }) => seq)), new Set([1, 2, 3]));
    assert.equal(settled.length, 3);
    assert.deepEqual(unanswered.map(({ fingerprint }) => fingerprint).toSorted(), ['f', 'g']);
    assert.deepEqual(
      positions.toSorted((a, b) => a.partition - b.partition),
      [seen(0, 6), seen(1, 5)],
    );
  });

  test('remember an unanswered create for ever, and an unanswered update as long as an idempotency key', () => {
    const settlements = createSettlements(level(), () => NOW);
    const headers = { ce_type: 'ORDER_CREATED' };
    const createOf = { ...row(1, 'create'), message: { key: 'ORD-1', value: '{}', headers } };
    settlements.acknowledged(createOf, at(0, 0), TOPIC, false);
    settlements.acknowledged(row(2, 'update'), at(0, 1), TOPIC, false);
    assert.deepEqual(
      settlements.take().unanswered.map((request) => request.at),
      [null, NOW],
    );
  });
});

describe('settlements of events whose clients got no success', () => {
  test('say that there is a request whose repetition the store could not recognise yet', () => {
    const settlements = createSettlements(level(), () => NOW);
    settlements.acknowledged(row(1, 'f'), at(0, 0), TOPIC, true);
    assert.equal(settlements.hasUnanswered, false);
    settlements.acknowledged(row(2, 'g'), at(0, 1), TOPIC, false);
    assert.equal(settlements.hasUnanswered, true);
    settlements.take();
    assert.equal(settlements.hasUnanswered, false);
  });
});
