import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { idsIn, isSelected, type Letter, letterLines } from './letters.ts';

const letter = (changes: Partial<Letter> = {}): Letter => ({
  id: 3,
  topic: 'orders.events',
  partition: 1,
  offset: 42,
  key: { text: 'ORD-1' },
  value: { text: '{}' },
  reason: 'the value is not JSON',
  storedAt: '2026-01-18T12:00:00.000Z',
  redriven: null,
  ...changes,
});

describe('isSelected', () => {
  const all = { ids: undefined, reason: undefined, key: undefined };

  test('selects every letter if there is no condition, else those for which all conditions hold', () => {
    assert.ok(isSelected(letter(), all));
    assert.ok(isSelected(letter(), { ids: new Set([3]), reason: 'not JSON', key: 'ORD-1' }));
    assert.ok(!isSelected(letter(), { ...all, ids: new Set([4]) }));
    assert.ok(!isSelected(letter(), { ...all, reason: 'not json' }));
    assert.ok(!isSelected(letter(), { ...all, key: 'ORD' }));
  });

  test('selects no letter by key if its key is missing or is not text', () => {
    assert.ok(!isSelected(letter({ key: null }), { ...all, key: 'ORD-1' }));
    assert.ok(!isSelected(letter({ key: { base64: 'T1JELTE=' } }), { ...all, key: 'ORD-1' }));
  });
});

describe('letterLines', () => {
  test('show the position, the reason and the beginning of a letter', () => {
    assert.equal(
      letterLines(letter({ value: { text: 'a\nb' } })),
      [
        '3  orders.events 1@42  key "ORD-1"  stored 2026-01-18T12:00:00.000Z',
        '    the value is not JSON',
        String.raw`    "a\nb"`,
      ].join('\n'),
    );
  });

  test('show bytes that are not text in hexadecimal, and say if the key is missing', () => {
    const lines = letterLines(letter({ key: null, value: { base64: Buffer.alloc(30, 0xff).toString('base64') } }));
    assert.match(lines, /key \(none\)/);
    assert.match(lines, /30 bytes, 0x(ff){25}…$/);
  });
});

describe('idsIn', () => {
  test('reads ids, and rejects everything else', () => {
    assert.deepEqual(idsIn('3,5,12'), new Set([3, 5, 12]));
    for (const wrong of ['', '0', '-1', '1,', '1, 2', '1-3', 'x', '9'.repeat(16)])
      assert.equal(idsIn(wrong), null, wrong);
  });
});
