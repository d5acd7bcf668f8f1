import assert from 'node:assert/strict';
import { text } from 'node:stream/consumers';
import { setImmediate as othersTurn } from 'node:timers/promises';
import { describe, test } from 'node:test';
import { streamList } from './streamed_list.ts';

async function* pagesOf<T>(...pages: T[][]): AsyncGenerator<T[]> {
  yield* pages;
}

describe('a listing', () => {
  for (const pages of [[], [[]], [['a']], [['a', 'b'], [], ['c"\u2028']]]) {
    test(`of the pages ${JSON.stringify(pages)} is the JSON of all their items`, async () => {
      const json = await text(streamList({ topicName: 'a"b' }, 'ids', pagesOf(...pages)));
      assert.equal(json, JSON.stringify({ topicName: 'a"b', ids: pages.flat() }));
    });
  }

  test('without a head has its items alone', async () => {
    assert.equal(await text(streamList({}, 'ids', pagesOf([1, 2]))), '{"ids":[1,2]}');
  });

  test('is made only as fast as it is read, and its source let go when the reader goes away', async () => {
    let made = 0;
    const released = Promise.withResolvers<void>();
    async function* endless(): AsyncGenerator<number[]> {
      try {
        for (;;) yield [(made += 1)];
      } finally {
        released.resolve();
      }
    }
    const stream = streamList({}, 'ids', endless());
    for await (const _chunk of stream.iterator({ destroyOnReturn: false })) {
      for (let turn = 0; turn < 10; turn += 1) await othersTurn();
      assert.ok(made <= 3, `${made} pages made for one read`);
      break;
    }
    stream.destroy();
    await released.promise;
  });
});
