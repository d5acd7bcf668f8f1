import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { anOrder } from '#tests/support/events.ts';
import { createTestApp } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

const TIME = '2026-01-01T00:00:00.000Z';

before(async () => {
  service = await createTestApp();
  const event = { orderId: 'ORD-1', timestamp: Date.parse(TIME), partition: 2 } as const;
  await service.apply({
    orders: [anOrder('ORD-1'), anOrder('ORD-2')],
    views: [
      { orderId: 'ORD-1', version: 3, status: 'shipped', pendingSince: null },
      { orderId: 'ORD-2', version: 1, status: 'new', pendingSince: null },
    ],
    history: [
      { ...event, type: 'ORDER_CREATED', version: 1, status: 'new', offset: 0, outcome: 'applied' },
      { ...event, type: 'ORDER_STATUS_UPDATED', version: 3, status: 'shipped', offset: 1, outcome: 'applied' },
      { ...event, type: 'ORDER_STATUS_UPDATED', version: 2, status: 'confirmed', offset: 2, outcome: 'duplicate' },
      { ...event, type: 'ORDER_STATUS_UPDATED', version: 3, status: 'shipped', offset: 3, outcome: 'duplicate' },
    ],
  });
});

after(() => service.close());

/** The outcomes that the history of an order shows, oldest first. */
const outcomesOf = async (
  orderId: string,
  history: readonly (readonly [
    type: 'ORDER_CREATED' | 'ORDER_STATUS_UPDATED',
    version: number | null,
    at: number,
    outcome: 'applied' | 'duplicate' | 'conflict',
  ])[],
) => {
  await service.apply({
    orders: [anOrder(orderId)],
    views: [{ orderId, version: 1, status: 'new', pendingSince: null }],
    history: history.map(([type, version, timestamp, outcome], n) => ({
      orderId,
      type,
      version,
      timestamp,
      outcome,
      status: 'new',
      partition: 0,
      offset: 100 + n,
    })),
  });
  const { body } = await service.get(`/orders/${orderId}/events`);
  return body.events.map(({ outcome }: { outcome: string }) => outcome).toReversed();
};

test('another creation of an order is shown as a conflict, and the same one as a duplicate', async () => {
  const outcomes = await outcomesOf('ORD-7', [
    ['ORDER_CREATED', 1, 1_000, 'applied'],
    ['ORDER_CREATED', 9, 2_000, 'conflict'],
    ['ORDER_CREATED', 1, 1_000, 'duplicate'],
    ['ORDER_CREATED', 1, 3_000, 'duplicate'],
    ['ORDER_CREATED', null, 4_000, 'conflict'],
  ]);
  assert.deepEqual(outcomes, ['applied', 'conflict', 'duplicate', 'conflict', 'conflict']);
});

describe('GET /orders/{orderId}/events', () => {
  test('shows the events, newest first, with duplicates and late ones marked', async () => {
    const { body } = await service.get('/orders/1/events');
    assert.deepEqual(
      body.events.map(({ version, offset, outcome }: Record<string, unknown>) => [version, offset, outcome]),
      [
        [3, 3, 'duplicate'],
        [2, 2, 'late'],
        [3, 1, 'applied'],
        [1, 0, 'applied'],
      ],
    );
    assert.deepEqual(body.events[3], {
      sequence: 1,
      type: 'ORDER_CREATED',
      version: 1,
      status: 'new',
      timestamp: TIME,
      partition: 2,
      offset: 0,
      outcome: 'applied',
    });
  });

  test('is paged', async () => {
    const first = (await service.get('/orders/1/events?limit=3')).body;
    assert.equal(first.events.length, 3);
    const rest = (await service.get(`/orders/1/events?after=${first.next}`)).body;
    assert.deepEqual([rest.events.map(({ offset }: { offset: number }) => offset), rest.next], [[0], null]);
  });

  test('is empty for an order without history, 404 for an unknown order, 400 for a wrong cursor', async () => {
    assert.deepEqual((await service.get('/orders/2/events')).body.events, []);
    assert.deepEqual((await service.get('/orders/99/events')).body.code, 'OrderNotFound');
    assert.deepEqual((await service.get('/orders/1/events?after=x')).body.code, 'ValidationFailed');
  });
});
