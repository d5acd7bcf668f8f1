import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createTestApp, NOW } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
  await service.apply({
    views: [
      { orderId: 'ORD-9', version: 5, status: 'confirmed', pendingSince: NOW - 1_500 },
      { orderId: 'ORD-10', version: 0, status: 'shipped', pendingSince: NOW - 2_000 },
    ],
  });
});

after(() => service.close());

describe('GET /pending-statuses', () => {
  test('shows the statuses oldest first, with their age', async () => {
    assert.deepEqual((await service.get('/pending-statuses')).body.pendingStatuses, [
      { orderId: 'ORD-10', version: 0, status: 'shipped', ageMs: 2_000 },
      { orderId: 'ORD-9', version: 5, status: 'confirmed', ageMs: 1_500 },
    ]);
    assert.equal((await service.get('/pending-statuses?limit=1')).body.pendingStatuses.length, 1);
  });

  for (const limit of ['0', '1001']) {
    test(`with the limit ${limit} is 400`, async () => {
      const { status, body } = await service.get(`/pending-statuses?limit=${limit}`);
      assert.deepEqual([status, body.code], [400, 'ValidationFailed']);
    });
  }
});
