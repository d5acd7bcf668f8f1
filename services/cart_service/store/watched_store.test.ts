import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { StoreError } from '#service_common/store_error.ts';
import { createCartDisk, createSimulatedCartStore } from '#tests/simulation/simulated_cart_store.ts';
import { EMPTY_CART_BATCH } from './cart_store.ts';
import { watchStore } from './watched_store.ts';

const fail = (): never => {
  throw new Error('a fault of an observer');
};

const logger = pino({ level: 'silent' });

describe('a watched store', () => {
  test('says why its last transaction failed, until one succeeds', async () => {
    const disk = createCartDisk();
    const { store, failure } = watchStore(createSimulatedCartStore(disk), () => {}, logger);
    disk.trouble = 'full';
    await assert.rejects(store.commit(EMPTY_CART_BATCH), StoreError);
    assert.equal(failure(), 'the disk is full');
    disk.trouble = 'none';
    await store.commit(EMPTY_CART_BATCH);
    assert.equal(failure(), null);
  });

  test('commits whatever its observer throws', async () => {
    const { store, failure } = watchStore(createSimulatedCartStore(createCartDisk()), fail, logger);
    const order = { orderId: 'ORD-1', version: 1, status: 'new' } as const;
    await store.commit({ ...EMPTY_CART_BATCH, orders: [{ state: order, previous: null }] });
    assert.deepEqual((await store.load(['ORD-1'], [])).orders.get('ORD-1'), order);
    assert.equal(failure(), null);
  });
});
