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

const view = (next: number, version: number | null, status = '', isPending = false): StoredView => ({
  orders: new Map(version === null ? [] : [[ORDER, { version, status, isPending }]]),
  positions: new Map([[0, next]]),
});

describe('foldDifferences, of a view and the log up to its positions', () => {
  for (const [what, seen] of [
    ['a view that has everything', view(3, 3, 'shipped')],
    ['a view that is in the middle of the log', view(2, 2, 'confirmed')],
    ['a view that has nothing yet', view(0, null)],
  ] as const) {
    test(`finds none in ${what}`, () => assert.deepEqual(foldDifferences(seen, LOG), []));
  }

  for (const [what, seen] of [
    ['a view without an order of the log', view(3, null)],
    ['a view that missed an event', view(3, 2, 'confirmed')],
    ['a view that is ahead of its position', view(2, 3, 'shipped')],
    ['a view with an order that is not in the log yet', view(0, 1, 'new')],
    ['a view with a pending status although its order has come', view(3, 3, 'shipped', true)],
  ] as const) {
    test(`finds one in ${what}`, () => assert.equal(foldDifferences(seen, LOG).length, 1));
  }
});
