import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import type { Topic } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import { record } from '#tests/support/events.ts';
import { type AppParts, createTestApp, newApp, TOPIC } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
  const letter = {
    ...record('{'),
    topic: TOPIC,
    partition: 3,
    reason: 'the value is not JSON',
    isWhole: true,
    storedAt: 1,
  };
  await service.apply({ deadLetters: [letter] });
});

after(() => service.close());

const redriveOn = async (broker: AppParts['broker']) => {
  const app = await newApp({ ...service, ...(broker ? { broker } : {}) });
  return () => app.inject({ method: 'POST', url: '/dead-letters/redrive', payload: { letters: [{ id: 1 }] } });
};

describe('POST /dead-letters/redrive', () => {
  test('is 503 if the topic cannot be reached, and says that nothing was published', async () => {
    const redrive = await redriveOn(undefined);
    const response = await redrive();
    assert.deepEqual([response.statusCode, response.headers['retry-after']], [503, '1']);
    assert.partialDeepStrictEqual(response.json(), {
      code: 'KafkaBrokersUnavailable',
      outcome: 'not_published',
      detail: 'nothing was published: no broker here',
    });
  });

  test('is 409 while another redrive is under way', async () => {
    const asked = Promise.withResolvers<void>();
    const topic = Promise.withResolvers<Topic | null>();
    const redrive = await redriveOn({
      bounds: () => Promise.reject(new Error('not asked for')),
      describeTopic: () => {
        asked.resolve();
        return topic.promise;
      },
      publish: () => Promise.resolve([{ kind: 'acknowledged', partition: 0, offset: 7 }]),
    });
    const first = redrive();
    await asked.promise;
    const second = await redrive();
    assert.deepEqual([second.statusCode, second.json().code], [409, 'RedriveUnderWay']);
    topic.resolve({ name: TOPIC, id: 'topic-1', partitions: 6 });
    assert.deepEqual((await first).json(), {
      results: [{ id: 1, outcome: 'published', partition: 0, offset: 7, detail: null }],
      next: null,
      until: null,
      stopped: null,
    });
  });

  test('ends after the part under way if the client disconnects', async () => {
    const letter = { ...record('{'), topic: TOPIC, partition: 3, reason: 'many', isWhole: true, storedAt: 1 };
    await service.apply({
      deadLetters: Array.from({ length: 250 }, (_, n) => ({ ...letter, offset: n, key: Buffer.from(`key-${n}`) })),
    });
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<void>();
    let published = 0;
    const app = await newApp({
      ...service,
      broker: {
        bounds: () => Promise.reject(new Error('not asked for')),
        describeTopic: () => Promise.resolve({ name: TOPIC, id: 'topic-1', partitions: 6 }),
        publish: async (_topic, messages) => {
          asked.resolve();
          await answer.promise;
          return messages.map(() => ({ kind: 'acknowledged', partition: 0, offset: published++ }));
        },
      },
    });
    try {
      const url = await app.listen({ port: 0, host: '127.0.0.1' });
      const closed = Promise.withResolvers<void>();
      app.server.on('connection', (socket: Socket) => void socket.once('close', closed.resolve));
      const client = new AbortController();
      const request = fetch(`${url}/dead-letters/redrive`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ filter: { reason: 'many' } }),
        signal: client.signal,
      });
      await asked.promise;
      client.abort();
      await assert.rejects(request);
      await closed.promise;
      answer.resolve();
      const again = async () =>
        app.inject({ method: 'POST', url: '/dead-letters/redrive', payload: { letters: [{ id: 999 }] } });
      await eventually(async () => assert.equal((await again()).statusCode, 200), 5_000);
      assert.equal(published, 100);
    } finally {
      await app.close();
    }
  });
});
