import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { record } from '#tests/support/events.ts';
import { createTestApp, NOW, TOPIC } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
  await service.apply({
    views: [
      { orderId: 'ORD-9', version: 5, status: 'confirmed', pendingSince: NOW - 1_500 },
      { orderId: 'ORD-10', version: 0, status: 'shipped', pendingSince: NOW - 2_000 },
    ],
    deadLetters: [0, 1, 2].map((offset) => ({
      ...record('{', { offset, value: Buffer.from([0xff, offset]), headers: [['trace', Buffer.from('é')]] }),
      topic: TOPIC,
      partition: 3,
      reason: 'the value is not UTF-8',
      storedAt: NOW,
    })),
  });
});

after(() => service.close());

describe('the operator routes', () => {
  test('GET /dead-letters pages through them with their bytes', async () => {
    const first = (await service.get('/dead-letters?limit=2')).body.deadLetters;
    assert.deepEqual(first[0], {
      id: 1,
      topic: TOPIC,
      partition: 3,
      offset: 0,
      timestamp: '2026-01-18T12:00:00.000Z',
      key: { text: 'ORD-0' },
      value: { base64: '/wA=' },
      headers: [{ name: 'trace', value: { text: 'é' } }],
      reason: 'the value is not UTF-8',
      storedAt: '2026-01-18T12:00:00.000Z',
      redriven: null,
    });
    assert.equal(first.length, 2);
    const second = (await service.get(`/dead-letters?after=${first[1].id}&limit=2`)).body.deadLetters;
    assert.deepEqual(
      second.map(({ offset }: { offset: number }) => offset),
      [2],
    );
    assert.deepEqual((await service.get('/dead-letters?after=3')).body, { deadLetters: [] });
  });

  test('GET /pending-statuses shows them oldest first, with their age', async () => {
    assert.deepEqual((await service.get('/pending-statuses')).body.pendingStatuses, [
      { orderId: 'ORD-10', version: 0, status: 'shipped', ageMs: 2_000 },
      { orderId: 'ORD-9', version: 5, status: 'confirmed', ageMs: 1_500 },
    ]);
    assert.equal((await service.get('/pending-statuses?limit=1')).body.pendingStatuses.length, 1);
  });

  const INVALID = ['/pending-statuses?limit=0', '/pending-statuses?limit=1001', '/dead-letters?limit=-1'];
  for (const url of [...INVALID, '/dead-letters?limit=', '/dead-letters?after=x', '/dead-letters?after=1e3']) {
    test(`GET ${url} is 400`, async () => {
      const { status, body } = await service.get(url);
      assert.deepEqual([status, body.code], [400, 'ValidationFailed']);
    });
  }
});
