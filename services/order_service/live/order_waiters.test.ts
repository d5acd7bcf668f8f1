import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOrderWaiters, type OrderWaiter, type OrderWaiters } from './order_waiters.ts';

const newWaiters = (limit: number): OrderWaiters =>
  createOrderWaiters({ limit, db: { knownAmong: async () => [] }, watch: { follow: () => () => {} } });

const enter = (waiters: OrderWaiters, orderId: string, ms = 30_000): OrderWaiter =>
  waiters.enter(orderId, ms) ?? assert.fail('not let in');

test('an order that arrives wakes all that wait for it, and no others', async () => {
  const waiters = newWaiters(10);
  const [first, second, other] = [enter(waiters, 'ORD-1'), enter(waiters, 'ORD-1'), enter(waiters, 'ORD-2')];
  waiters.arrived(['ORD-3', 'ORD-1']);
  await Promise.all([first.woken, second.woken]);
  assert.equal(waiters.size, 1);
  other.leave();
});

test('a waiter is woken when its time is over, and not before', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const waiters = newWaiters(10);
  const waiter = enter(waiters, 'ORD-1', 2_000);
  t.mock.timers.tick(1_999);
  assert.equal(waiters.size, 1);
  t.mock.timers.tick(1);
  await waiter.woken;
  assert.equal(waiters.size, 0);
});

test('one waiter more than the limit is refused until another has left', () => {
  const waiters = newWaiters(2);
  const first = enter(waiters, 'ORD-1');
  enter(waiters, 'ORD-2').leave();
  enter(waiters, 'ORD-2');
  assert.equal(waiters.enter('ORD-3', 30_000), null);
  first.leave();
  first.leave();
  enter(waiters, 'ORD-3');
  assert.equal(waiters.enter('ORD-3', 30_000), null);
  waiters.close();
});

test('closing wakes all, and refuses more', async () => {
  const waiters = newWaiters(10);
  const inside = [enter(waiters, 'ORD-1'), enter(waiters, 'ORD-1'), enter(waiters, 'ORD-2')];
  waiters.close();
  await Promise.all(inside.map(({ woken }) => woken));
  assert.equal(waiters.size, 0);
  assert.equal(waiters.enter('ORD-1', 30_000), null);
});
