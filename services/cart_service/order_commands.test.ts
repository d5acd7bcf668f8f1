import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ORDER_STATUSES, type OrderStatus } from '#kafka_common/models.ts';
import {
  type Circumstances,
  type CreateOrder,
  decide,
  type Decision,
  LIFECYCLE,
  MAX_VERSION,
  type OrderState,
  type UpdateOrder,
} from './order_commands.ts';

const NOW = '2026-01-18T12:00:00.000Z';

const CIRCUMSTANCES: Circumstances = { now: Date.parse(NOW), newId: () => 'event-1', random: () => 0 };

const create: CreateOrder = {
  kind: 'create',
  orderId: 'ORD-1',
  draft: { orderId: 'ORD-1', numberOfItems: 1, items: null, customerId: null, currency: null },
  fingerprint: 'mine',
};

const update = (status: OrderStatus): UpdateOrder => ({
  kind: 'update',
  orderId: 'ORD-1',
  status,
  fingerprint: status,
});

const orderIn = (status: OrderStatus): OrderState => ({ orderId: 'ORD-1', version: 7, status });

const decideUpdate = (from: OrderStatus, to: OrderStatus): Decision =>
  decide(update(to), orderIn(from), false, CIRCUMSTANCES);

const shippedAt = (version: number): Decision =>
  decide(update('shipped'), { ...orderIn('confirmed'), version }, false, CIRCUMSTANCES);

const refusalOf = (decision: Decision) =>
  decision.kind === 'refused' ? decision.refusal : assert.fail(`${decision.kind} instead of refused`);

describe('creating an order', () => {
  test('that is new gives its event, of version 1, and its state', () => {
    assert.deepEqual(decide(create, undefined, false, CIRCUMSTANCES), {
      kind: 'event',
      event: {
        type: 'ORDER_CREATED',
        eventId: 'event-1',
        timestamp: NOW,
        orderId: 'ORD-1',
        version: 1,
        order: {
          orderId: 'ORD-1',
          customerId: 'CUST-00001',
          orderDate: NOW,
          items: [{ itemId: 'ITEM-001', quantity: 1, price: 100 }],
          totalAmount: 100,
          currency: 'USD',
          status: 'new',
        },
      },
      state: { orderId: 'ORD-1', version: 1, status: 'new' },
    } satisfies Decision);
  });

  test('that exists is refused, whatever its status', () => {
    for (const status of ORDER_STATUSES) {
      assert.deepEqual(refusalOf(decide(create, orderIn(status), false, CIRCUMSTANCES)), {
        code: 'OrderAlreadyExists',
        detail: `order ORD-1 exists already, with status ${status}`,
      });
    }
  });

  test('that exists by the same request changes nothing if that was never answered a success', () => {
    for (const status of ORDER_STATUSES) {
      assert.deepEqual(decide(create, orderIn(status), true, CIRCUMSTANCES), { kind: 'unchanged' });
    }
  });
});

describe('a request that took effect before, about an order that the store does not know', () => {
  test('is decided as if it were the first', () => {
    assert.equal(decide(create, undefined, true, CIRCUMSTANCES).kind, 'event');
    assert.equal(refusalOf(decide(update('confirmed'), undefined, true, CIRCUMSTANCES)).code, 'OrderNotFound');
  });
});

describe('updating an order', () => {
  test('that does not exist is refused', () => {
    for (const status of ORDER_STATUSES) {
      assert.deepEqual(refusalOf(decide(update(status), undefined, false, CIRCUMSTANCES)), {
        code: 'OrderNotFound',
        detail: 'there is no order ORD-1; create it first',
      });
    }
  });

  const FINAL: readonly OrderStatus[] = ['completed', 'cancelled'];
  for (const from of ORDER_STATUSES) {
    test(`from ${from} leads to ${FINAL.includes(from) ? 'no other status' : 'any status but new'}`, () => {
      for (const to of ORDER_STATUSES) {
        const decision = decideUpdate(from, to);
        if (to === from) assert.deepEqual(decision, { kind: 'unchanged' }, to);
        else if (to === 'new' || FINAL.includes(from)) assert.equal(refusalOf(decision).code, 'StatusNotAllowed', to);
        else {
          assert.deepEqual(decision, {
            kind: 'event',
            event: {
              type: 'ORDER_STATUS_UPDATED',
              eventId: 'event-1',
              timestamp: NOW,
              orderId: 'ORD-1',
              version: 8,
              status: to,
            },
            state: { orderId: 'ORD-1', version: 8, status: to },
          } satisfies Decision);
        }
      }
    });
  }

  test('that took effect already changes nothing, whatever has happened to the order since', () => {
    for (const status of ORDER_STATUSES) {
      assert.deepEqual(decide(update('confirmed'), orderIn(status), true, CIRCUMSTANCES), { kind: 'unchanged' });
    }
  });

  test('takes the last version, and is refused above it', () => {
    const last = shippedAt(MAX_VERSION - 1);
    assert.equal(last.kind === 'event' && last.event.version, 2_147_483_647);
    for (const version of [MAX_VERSION, MAX_VERSION + 1, Number.MAX_SAFE_INTEGER]) {
      assert.deepEqual(refusalOf(shippedAt(version)), {
        code: 'StatusNotAllowed',
        detail: 'order ORD-1 has version 2147483647, the last one; it cannot change again',
      });
    }
  });

  test('that is refused for its status lists the allowed ones', () => {
    assert.equal(
      refusalOf(decideUpdate('completed', 'shipped')).detail,
      'order ORD-1 is completed and cannot become shipped; it can become: nothing, it is final',
    );
    assert.equal(
      refusalOf(decideUpdate('pending', 'new')).detail,
      `order ORD-1 is pending and cannot become new; it can become: ${LIFECYCLE.pending.join(', ')}`,
    );
  });
});
