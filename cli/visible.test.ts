import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { preview, visible, visibleJson } from './visible.ts';

const ACTS_ON_A_TERMINAL = /[\p{C}\p{Zl}\p{Zp}]/u;

describe('visible', () => {
  test('escapes characters that act on a terminal or deceive its reader', () => {
    assert.equal(
      visible('a\u001B[2Jb\u009B1m\u202Ec\u200B\u0000\r\n\t\\\u007F\uFEFF'),
      String.raw`a\u{1b}[2Jb\u{9b}1m\u{202e}c\u{200b}\u{0}\r\n\t\\\u{7f}\u{feff}`,
    );
  });

  test('leaves other text as it is', () => {
    assert.equal(visible('Größe 大小 👍 "{}"'), 'Größe 大小 👍 "{}"');
  });

  test('lets no character of any text through that acts on a terminal', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !ACTS_ON_A_TERMINAL.test(visible(text))));
  });
});

describe('preview', () => {
  test('cuts between characters and says how many are left', () => {
    assert.equal(preview('👍👍👍', 2), '👍👍… (2 more)');
    assert.equal(preview('abc', 3), 'abc');
    assert.equal(preview('\u0000\u0000ab', 3), String.raw`\u{0}\u{0}a… (1 more)`);
  });
});

describe('visibleJson', () => {
  test('gives the same JSON for any value, without a character that acts on a terminal', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const json = visibleJson({ [text]: text });
        assert.ok(!ACTS_ON_A_TERMINAL.test(json));
        assert.deepEqual(JSON.parse(json), { [text]: text });
      }),
    );
  });
});
