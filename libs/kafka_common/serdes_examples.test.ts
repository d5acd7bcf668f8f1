import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { record, statusUpdated } from '#tests/support/events.ts';
import { decodeEvent, encodeEvent } from './serdes_json.ts';

const EVENT = statusUpdated('ORD-1', 2, 'confirmed', 'e');
const FOREIGN = statusUpdated('ORD-1', null, 'confirmed', 'e');
const { value: VALUE } = encodeEvent(EVENT, '');

const reasonOf = (value: Buffer | string | null): string => {
  const bytes = value === null ? null : Buffer.from(value);
  const decoded = decodeEvent({ key: null, value: bytes });
  return decoded.kind === 'invalid' ? decoded.reason : assert.fail('it was decoded');
};

describe('an event as a message', () => {
  test('has the headers of CloudEvents and the trace, and the source that the event names', () => {
    const headers = {
      ce_specversion: '1.0',
      ce_id: 'e',
      ce_type: 'ORDER_STATUS_UPDATED',
      ce_source: '/order-events/cart-service',
      ce_subject: 'ORD-1',
      ce_time: '2026-01-18T12:00:00.000Z',
      'content-type': 'application/json',
      traceparent: 'trace',
    };
    assert.deepEqual(encodeEvent(EVENT, 'trace').headers, headers);
    assert.equal(encodeEvent({ ...EVENT, source: '/shop' }, '').headers['ce_source'], '/shop');
    assert.equal(encodeEvent(EVENT, '').key, 'ORD-1');
  });

  test('is read again, also behind a byte order mark, and says whether its key is the order id', () => {
    for (const value of [VALUE, `\uFEFF${VALUE}`]) {
      const decoded = decodeEvent({ key: Buffer.from('ORD-1'), value: Buffer.from(value) });
      assert.deepEqual(decoded, { kind: 'event', event: EVENT, keyMatches: true });
    }
    for (const key of [null, Buffer.from('ORD-2')]) {
      const decoded = decodeEvent({ key, value: Buffer.from(VALUE) });
      assert.equal(decoded.kind === 'event' && decoded.keyMatches, false);
      assert.equal(decoded.kind, 'event');
    }
  });
});

describe('a record that is not an event', () => {
  test('has a reason', () => {
    assert.equal(reasonOf(null), 'the value is empty (a tombstone)');
    assert.equal(reasonOf(''), 'the value is empty (a tombstone)');
    assert.equal(reasonOf(Buffer.from([0xff])), 'the value is not UTF-8');
    assert.equal(reasonOf('{'), 'the value is not JSON');
    assert.equal(reasonOf(VALUE.slice(1)), 'the value is not JSON');
    assert.equal(reasonOf(`\uFEFF\uFEFF${VALUE}`), 'the value is not JSON');
    assert.equal(reasonOf('[]'), 'the value is not a JSON object');
  });

  test('has the reason why it cannot be read, whatever its value is', () => {
    assert.deepEqual(decodeEvent(record(EVENT, { unreadable: 'too large' })), { kind: 'invalid', reason: 'too large' });
  });
});

const sourceIn = (headers: readonly (readonly [string, Buffer | null])[], event = FOREIGN): string | undefined => {
  const decoded = decodeEvent(record(event, { headers }));
  return decoded.kind === 'event' ? decoded.event.source : assert.fail(decoded.reason);
};

describe('the source of an event', () => {
  test('is that of its first header `ce_source`, byte for byte, if it has no version', () => {
    const shop = ['ce_source', Buffer.from('/shop')] as const;
    assert.equal(sourceIn([['other', Buffer.from('x')], shop, ['ce_source', Buffer.from('/other')]]), '/shop');
    assert.equal(sourceIn([['ce_source', Buffer.from([0xff])]]), '\u00ff');
    assert.equal(sourceIn([shop], EVENT), undefined);
  });

  test('is none without such a header, or if that is empty', () => {
    for (const headers of [[], [['ce_source', null]], [['ce_source', Buffer.alloc(0)]]] as const) {
      const decoded = decodeEvent(record(FOREIGN, { headers }));
      assert.deepEqual(decoded.kind === 'event' && decoded.event, FOREIGN);
    }
    const { key, value } = record(FOREIGN);
    assert.equal(decodeEvent({ key, value }).kind, 'event');
  });
});
