import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ORDER_STATUSES } from '../../../libs/kafka_common/models.ts';
import { hexDump, toBytes } from './bytes.js';
import { hashOf, parseHash } from './router.js';
import { STATUSES } from './statuses.js';
import { hidesSomething, visibleParts, visibleText } from './visible_text.js';

describe('a text of another producer', () => {
  test('shows characters by name that hide, reorder or imitate others', () => {
    assert.equal(
      visibleText('a\u0000b\u202ec\u200bd\ufeffe\u00a0f\ud800g\u3164h'),
      'a⟨U+0000⟩b⟨U+202E⟩c⟨U+200B⟩d⟨U+FEFF⟩e⟨U+00A0⟩f⟨U+D800⟩g⟨U+3164⟩h',
    );
  });

  test('stays as it is if all of it is visible', () => {
    const text = '{"name": "Zoë 日本語 مرحبا 🙂",\n "html": "<script>alert(1)</script>"}';
    assert.equal(visibleText(text), text);
    assert.deepEqual(visibleParts(text), [{ kind: 'text', text }]);
    assert.equal(hidesSomething(text), false);
  });

  test('loses nothing when it is split', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const joined = visibleParts(text)
          .map((part) => (part.kind === 'text' ? part.text : `⟨${part.text}⟩`))
          .join('');
        assert.equal(joined, visibleText(text));
      }),
    );
  });
});

test('a hex dump has 16 bytes a row, with their offset and the bytes as ASCII', () => {
  const bytes = toBytes({ base64: Buffer.from('order\u0000\u00ff and more than a row').toString('base64') });
  assert.equal(
    hexDump(bytes, 0, bytes.length),
    [
      '00000000  6f 72 64 65 72 00 c3 bf  20 61 6e 64 20 6d 6f 72  order... and mor',
      '00000010  65 20 74 68 61 6e 20 61  20 72 6f 77              e than a row',
    ].join('\n'),
  );
});

test('the hash of a place is read as the same place', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', minLength: 1 }), fc.string({ minLength: 1 }), (id, customer) => {
      const well = id.toWellFormed();
      const hash = hashOf('orders', well, { customer, status: '', after: null });
      assert.deepEqual(parseHash(hash), { view: 'orders', id: well, query: { customer } });
    }),
  );
  assert.deepEqual(parseHash(''), { view: 'flow', id: null, query: {} });
  assert.deepEqual(parseHash('#/orders/%'), { view: 'orders', id: '%', query: {} });
});

test('the statuses in the console are those of the services', () => {
  assert.deepEqual(STATUSES, ORDER_STATUSES);
});
