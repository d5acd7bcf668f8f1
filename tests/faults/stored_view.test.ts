import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LogEntry } from '#tests/checker/evidence.ts';
import { directOrderId, historyOf } from './direct_events.ts';
import { foldDifferences, type StoredView } from './stored_view.ts';

const ORDER = directOrderId(99, 1);

/** A create and two statuses, in partition 0. */
const LOG: LogEntry[] = historyOf(ORDER, ['confirmed', 'shipped']).map((event, offset) => ({
  partition: 0,
  offset,
  writtenAt: null,
  event: {
    eventId: event.eventId,
    orderId: event.orderId,
    version: event.version,
    status: event.type === 'ORDER_CREATED' ? event.order.status : event.status,
    order: event.type === 'ORDER_CREATED' ? event.order : null,
  },
}));

const view = (next: number, version: number | null, status = '', isWaiting = false): StoredView => ({
  orders: new Map(version === null ? [] : [[ORDER, { version, status, isWaiting }]]),
  positions: new Map([[0, next]]),
});

describe('a view against the fold of the log up to its positions', () => {
  for (const [what, seen] of [
    ['that has everything', view(3, 3, 'shipped')],
    ['that stands in between', view(2, 2, 'confirmed')],
    ['that has nothing yet', view(0, null)],
  ] as const) {
    test(`${what} does not differ`, () => assert.deepEqual(foldDifferences(seen, LOG), []));
  }

  for (const [what, seen] of [
    ['that lacks an order', view(3, null)],
    ['that missed an event', view(3, 2, 'confirmed')],
    ['that is ahead of its position', view(2, 3, 'shipped')],
    ['with an order that the log does not hold yet', view(0, 1, 'new')],
    ['with a status that waits though its order has come', view(3, 3, 'shipped', true)],
  ] as const) {
    test(`${what} differs`, () => assert.equal(foldDifferences(seen, LOG).length, 1));
  }
});
