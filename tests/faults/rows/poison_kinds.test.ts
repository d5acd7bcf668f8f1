import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import { COUNTED_ORDERS, POISON } from './poison_kinds.ts';

describe('a kind of poison', () => {
  for (const { what, key, value, becomes } of POISON) {
    test(`${what} is ${becomes === 'dead_letter' ? 'not an event' : 'an event with a wrong key'}`, () => {
      const decoded = decodeEvent({ key, value });
      if (becomes === 'dead_letter') assert.equal(decoded.kind, 'invalid');
      else assert.ok(decoded.kind === 'event' && !decoded.keyMatches && COUNTED_ORDERS.includes(decoded.event.orderId));
    });
  }

  test('differs from every other in its bytes, so that each dead letter can be recognized', () => {
    const letters = POISON.filter(({ becomes, value }) => becomes === 'dead_letter' && value?.length);
    assert.equal(new Set(letters.map(({ value }) => value?.toString('hex'))).size, letters.length);
  });
});
