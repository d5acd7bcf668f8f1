import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { undeclaredFields } from '#tests/support/described_app.ts';
import { record } from '#tests/support/events.ts';
import { createTestApp, NOW, TOPIC } from '#tests/support/order_app.ts';
import { DeadLetter } from './dead_letters.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
  await service.apply({
    deadLetters: [0, 1, 2].map((offset) => ({
      ...record('{', { offset, value: Buffer.from([0xff, offset]), headers: [['trace', Buffer.from('é')]] }),
      topic: TOPIC,
      partition: 3,
      reason: 'the value is not UTF-8',
      isWhole: offset < 2,
      storedAt: NOW,
    })),
  });
});

after(() => service.close());

describe('GET /dead-letters', () => {
  test('lists them a page at a time, with their bytes', async () => {
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
      complete: true,
      storedAt: '2026-01-18T12:00:00.000Z',
      redriven: null,
    });
    assert.equal(first.length, 2);
    // The answer is a stream, which no serializer holds to the schema.
    assert.deepEqual(undeclaredFields(DeadLetter, first[0]), []);
    const second = (await service.get(`/dead-letters?after=${first[1].id}&limit=2`)).body.deadLetters;
    assert.deepEqual(
      second.map(({ offset }: { offset: number }) => offset),
      [2],
    );
    assert.equal(second[0].complete, false);
    assert.deepEqual((await service.get('/dead-letters?after=3')).body, { deadLetters: [] });
  });

  for (const query of ['limit=-1', 'limit=', 'after=x', 'after=1e3']) {
    test(`with ${query} is 400`, async () => {
      const { status, body } = await service.get(`/dead-letters?${query}`);
      assert.deepEqual([status, body.code], [400, 'ValidationFailed']);
    });
  }
});

const send = (payload: Buffer, type: string) =>
  service.app.inject({ method: 'POST', url: '/dead-letters/redrive', payload, headers: { 'content-type': type } });

const redrive = (payload: object) => service.app.inject({ method: 'POST', url: '/dead-letters/redrive', payload });

describe('POST /dead-letters/redrive', () => {
  test('refuses a body that is not UTF-8, and another charset', async () => {
    const payload = JSON.stringify({ letters: [{ id: 1 }], note: 'M\u00fcller' });
    const latin1 = await send(Buffer.from(payload, 'latin1'), 'application/json');
    assert.deepEqual(latin1.json<Record<string, unknown>>()['errors'], [
      { field: 'body', message: 'is not UTF-8; send JSON in UTF-8' },
    ]);
    const declared = await send(Buffer.from(payload), 'application/json; charset=latin1');
    assert.equal(declared.json<Record<string, unknown>>()['code'], 'UnsupportedMediaType');
  });

  for (const payload of [
    {},
    { letters: [] },
    { letters: [{ id: 0 }] },
    { letters: [{ id: 1, value: '' }] },
    { letters: [{ id: 1 }], filter: {} },
    { filter: { since: 'ever' } },
    { filter: {}, limit: 1_000_000 },
    { filter: {}, after: 1 },
    { filter: {}, until: -1 },
  ]) {
    test(`with the body ${JSON.stringify(payload)} is 400`, async () => {
      const response = await redrive(payload);
      assert.deepEqual([response.statusCode, response.json().code], [400, 'ValidationFailed']);
    });
  }

  test('of a letter that does not exist says so', async () => {
    const response = await redrive({ letters: [{ id: 99 }] });
    assert.equal(response.statusCode, 200);
    assert.deepEqual(response.json().results[0].outcome, 'skipped');
  });
});
