import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Topic } from '#kafka_common/broker.ts';
import { record } from '#tests/support/events.ts';
import { type AppParts, createTestApp, newApp, TOPIC } from '#tests/support/order_app.ts';

let service: Awaited<ReturnType<typeof createTestApp>>;

before(async () => {
  service = await createTestApp();
  const letter = { ...record('{'), topic: TOPIC, partition: 3, reason: 'the value is not JSON', storedAt: 1 };
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
    });
  });
});
