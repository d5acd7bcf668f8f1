import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { headerName, headerNameBytes } from './header_names.ts';

test('the name of a header is its text, and bytes that are not UTF-8 are escaped', () => {
  assert.equal(headerName(Buffer.from('ключ 😀')), 'ключ 😀');
  assert.equal(headerName(Buffer.from('61ffc3a9c3', 'hex')), 'a\udcffé\udcc3');
  assert.equal(JSON.stringify(headerName(Buffer.from([0xff]))), String.raw`"\udcff"`);
});

test('a name is no longer than its text, whatever stands before a byte that is not UTF-8', () => {
  for (const bytes of ['ff', 'ff61', 'e282acff', 'f09f9880ff', 'c3']) {
    const name = headerName(Buffer.from(bytes, 'hex'));
    assert.deepEqual(
      [headerNameBytes(name).toString('hex'), name.length],
      [bytes, { ff: 1, c3: 1, f09f9880ff: 3 }[bytes] ?? 2],
    );
  }
});

test('the bytes of any name come back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      const name = Buffer.from(bytes);
      assert.deepEqual(headerNameBytes(headerName(name)), name);
      assert.deepEqual(headerNameBytes(JSON.parse(JSON.stringify(headerName(name))) as string), name);
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (name) => {
      assert.equal(headerName(headerNameBytes(name)), name);
    }),
  );
});
