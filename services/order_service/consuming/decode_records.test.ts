import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchOf, created, record, statusUpdated } from '#tests/support/events.ts';
import { decodeRecords } from './decode_records.ts';

const NOW = 1_768_737_600_000;

describe('the records of a transaction', () => {
  test('are events and dead letters, each with its place, in the order of the records', () => {
    const first = batchOf(0, 7, [created('ORD-1'), 'no event']);
    const second = batchOf(1, 0, [statusUpdated('ORD-2', 2, 'shipped')]);
    const { events, deadLetters, keyMismatches } = decodeRecords([first, second], NOW);
    assert.deepEqual(events, [
      { event: created('ORD-1'), partition: 0, record: first.records[0] },
      { event: statusUpdated('ORD-2', 2, 'shipped'), partition: 1, record: second.records[0] },
    ]);
    assert.deepEqual(deadLetters, [
      {
        ...first.records[1],
        topic: 'orders.events',
        partition: 0,
        reason: 'the value is not JSON',
        isWhole: true,
        storedAt: NOW,
      },
    ]);
    assert.deepEqual(keyMismatches, []);
  });

  test('that cannot be read to their end are dead letters of which only a part is kept', () => {
    const batch = { ...batchOf(0, 0, []), records: [record(created('ORD-1'), { unreadable: 'too large' })] };
    const [letter] = decodeRecords([batch], NOW).deadLetters;
    assert.deepEqual([letter?.reason, letter?.isWhole], ['too large', false]);
    assert.equal('unreadable' in (letter ?? {}), false);
  });

  test('whose key is not their order id are events, and are named', () => {
    const batch = { ...batchOf(0, 0, []), records: [record(created('ORD-1'), { key: Buffer.from('ORD-2') })] };
    const { events, keyMismatches } = decodeRecords([batch], NOW);
    assert.equal(events.length, 1);
    assert.deepEqual(keyMismatches, events);
  });
});
