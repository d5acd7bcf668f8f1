import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { fromText, toText } from './texts.ts';

test('every text comes back as it was, and is stored without NUL and without half of a surrogate pair', () => {
  const any = fc.string({ unit: fc.constantFrom('a', '\0', '\u0001', '\ud800', '\udc00', '😀', '"', '\\') });
  fc.assert(
    fc.property(any, (value) => {
      const stored = toText(value);
      assert.equal(fromText(stored), value);
      assert.ok(!stored.includes('\0') && stored.isWellFormed());
    }),
  );
});

test('a usual text is stored as it is', () => {
  assert.equal(toText('ORD-1 é 漢 😀'), 'ORD-1 é 漢 😀');
});
