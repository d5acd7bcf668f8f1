import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeQueryText, InstantText, IntegerText, QUERY_KEYWORDS } from './query_texts.ts';

const accepts = (name: string, rule: { minimum: number; maximum: number } | true, text: string): boolean =>
  QUERY_KEYWORDS.find(({ keyword }) => keyword === name)?.validate(rule, text) ?? assert.fail(name);

const described = (schema: object): object => {
  const parameter = { schema: { ...schema } };
  describeQueryText(parameter);
  return parameter.schema;
};

describe('a whole number in a query', () => {
  test('is between its bounds, in plain digits', () => {
    const range = { minimum: 1, maximum: 1_000 };
    for (const text of ['1', '10', '999', '1000']) assert.ok(accepts('integerText', range, text), text);
    for (const text of ['', '0', '1001', '-1', '01', '1.0', '1e2', '0x1', ' 1', '1 ', '٣', 'x', '9'.repeat(400)]) {
      assert.ok(!accepts('integerText', range, text), text);
    }
  });

  test('is described to clients as a number', () => {
    const schema = described(IntegerText({ minimum: 1, maximum: 9, default: 5 }, 'How many'));
    assert.deepEqual(schema, { type: 'integer', minimum: 1, maximum: 9, default: 5, description: 'How many' });
  });
});

describe('an instant in a query', () => {
  test('is a day that exists, or a time with its zone', () => {
    for (const text of ['2026-01-18', '2028-02-29', '2026-01-18T12:00Z', '2026-01-18T12:00:00.123456+02:00']) {
      assert.ok(accepts('instantText', true, text), text);
    }
    for (const text of ['', 'now', '2026', '2026-02-30', '2026-13-01', '2026-01-18T12:00:00', '2026-01-18T25:00Z']) {
      assert.ok(!accepts('instantText', true, text), text);
    }
  });

  test('is described to clients by its formats', () => {
    const schema = described(InstantText('When'));
    assert.deepEqual(schema, {
      type: 'string',
      anyOf: [{ format: 'date-time' }, { format: 'date' }],
      description: 'When',
    });
  });
});

test('any other parameter is described as it is', () => {
  assert.deepEqual(described({ type: 'string', pattern: '^a$' }), { type: 'string', pattern: '^a$' });
});
