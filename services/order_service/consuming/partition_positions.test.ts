import assert from 'node:assert/strict';
import { test } from 'node:test';
import { batchOf, created } from '#tests/support/events.ts';
import { createPartitionPositions } from './partition_positions.ts';

const EVENTS = [created('ORD-1'), created('ORD-2'), created('ORD-3')];

test('a batch is cut to the records that are new, and is null if none is', () => {
  const positions = createPartitionPositions();
  positions.begin([0], new Map([[0, 2]]));
  assert.deepEqual(
    positions.newIn(batchOf(0, 0, EVENTS))?.records.map(({ offset }) => offset),
    [2],
  );
  positions.applied(0, 3);
  assert.equal(positions.newIn(batchOf(0, 0, EVENTS)), null);
  assert.equal(positions.stored(0), 3);
});

test('a partition without a position begins at 0, and the view has none of it', () => {
  const positions = createPartitionPositions();
  positions.begin([1], new Map());
  assert.deepEqual([positions.stored(1), positions.newIn(batchOf(1, 0, EVENTS))?.records.length], [null, 3]);
});

test('a lost position moves where reading goes on, and the view still has the old one', () => {
  const positions = createPartitionPositions();
  positions.begin([0], new Map([[0, 100]]));
  positions.lost(0, 7);
  assert.equal(positions.stored(0), 100);
  assert.deepEqual(positions.status([0]), { positions: { 0: 7 }, lag: {}, heldUp: {}, positionsLost: 1 });
});

test('the status has the positions of the assigned partitions, and the lag of those that are kept', () => {
  const positions = createPartitionPositions();
  positions.begin([0, 1], new Map([[1, 5]]));
  positions.read({ ...batchOf(0, 0, []), end: 10 }, 0);
  positions.read(batchOf(1, 5, []), 0);
  assert.deepEqual(positions.status([0, 1]).lag, { 0: 10, 1: 0 });
  positions.keepLagOf([1]);
  assert.deepEqual(positions.status([1]), { positions: { 1: 5 }, lag: { 1: 0 }, heldUp: {}, positionsLost: 0 });
});

test('a partition is held up from the first batch that says so until the first that does not', () => {
  const positions = createPartitionPositions();
  positions.begin([0], new Map());
  const heldUp = { ...batchOf(0, 0, []), end: 3, isHeldUp: true };
  positions.read(heldUp, 1_000);
  positions.read(heldUp, 9_000);
  assert.deepEqual(positions.status([0]).heldUp, { 0: '1970-01-01T00:00:01.000Z' });
  positions.read({ ...heldUp, isHeldUp: false }, 10_000);
  assert.deepEqual(positions.status([0]).heldUp, {});
});

test('a partition without a batch has the lag of its bounds, until a batch comes', () => {
  const positions = createPartitionPositions();
  positions.begin([0, 1], new Map([[0, 3]]));
  positions.read(batchOf(1, 0, EVENTS), 0);
  for (const partition of [0, 1]) positions.setFirstLag(partition, 0, 5);
  assert.deepEqual(positions.status([0, 1]).lag, { 0: 2, 1: 0 });
});

test('partitions that begin again take the positions of the view', () => {
  const positions = createPartitionPositions();
  positions.begin([0], new Map([[0, 3]]));
  positions.applied(0, 9);
  positions.begin([0], new Map([[0, 8]]));
  assert.deepEqual([positions.stored(0), positions.status([0]).positions], [8, { 0: 8 }]);
});
