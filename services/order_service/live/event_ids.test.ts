import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StoredEvent, ViewQueries } from '#order_service/consumer_db.ts';
import { eventIdOf, idAt, sequenceOf } from './event_ids.ts';

const VIEW = '0123456789abcdef';
const EVENTS = [1, 2, 4].map((sequence) => ({ sequence, partition: 3, offset: 10 + sequence }) as StoredEvent);

const db: Pick<ViewQueries, 'viewId' | 'eventsAfter'> = {
  viewId: VIEW,
  eventsAfter: (after, limit) => Promise.resolve(EVENTS.filter(({ sequence }) => sequence > after).slice(0, limit)),
};

describe('the id of an event in the stream', () => {
  test('names the view, the sequence and the place, and leads back to the sequence', async () => {
    assert.equal(await idAt(db, 2), `${VIEW}-2-3-12`);
    assert.deepEqual(await Promise.all(EVENTS.map(async (event) => sequenceOf(db, eventIdOf(VIEW, event)))), [1, 2, 4]);
  });

  test('is 0 before the first event, and behind the last one', async () => {
    assert.deepEqual([await idAt(db, 0), await idAt(db, 9)], ['0', '0']);
    assert.equal(await sequenceOf(db, '0'), 0);
  });

  for (const [what, id] of [
    ['of another view', `${VIEW.replace('0', 'f')}-2-3-12`],
    ['of another place', `${VIEW}-2-3-13`],
    ['of a sequence that the view does not have', `${VIEW}-3-3-13`],
    ['of a sequence behind the last', `${VIEW}-9-3-19`],
    ['with more before it', `x${VIEW}-2-3-12`],
    ['with more behind it', `${VIEW}-2-3-12x`],
    ['of a view only', VIEW],
    ['nothing', ''],
  ] as const) {
    test(`is no id of this view if it is ${what}`, async () => {
      assert.equal(await sequenceOf(db, id), null);
    });
  }

  test('may have the longest numbers', async () => {
    const event = {
      sequence: 999_999_999_999_999,
      partition: 999_999_999,
      offset: 9_007_199_254_740_990,
    } as StoredEvent;
    const far = { viewId: VIEW, eventsAfter: () => Promise.resolve([event]) };
    assert.equal(await sequenceOf(far, eventIdOf(VIEW, event)), event.sequence);
  });
});
