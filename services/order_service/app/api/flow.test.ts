import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { createTestApp } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
});

after(() => service.close());

test('GET /flow shows how the view follows the topic', async () => {
  const { status, body } = await service.get('/flow');
  assert.equal(status, 200);
  assert.deepEqual([body.state, body.brokerReason, body.partitions.length], ['consuming', 'no broker here', 1]);
});
