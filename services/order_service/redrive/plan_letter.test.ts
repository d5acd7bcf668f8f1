import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StoredDeadLetter } from '#order_service/consumer_db.ts';
import { planLetter } from './plan_letter.ts';
import { REDRIVEN_FROM, REDRIVEN_PROOF } from './redrive_header.ts';

const letterWith = (changes: Partial<StoredDeadLetter> = {}): StoredDeadLetter =>
  ({
    id: 7,
    topic: 't',
    partition: 3,
    offset: 5,
    key: Buffer.from('ORD-1'),
    value: Buffer.from('no event'),
    headers: [],
    isWhole: true,
    redrive: null,
    ...changes,
  }) as StoredDeadLetter;

const planOf = (letter: StoredDeadLetter | undefined, changes: { key?: string; value?: string } = {}) => {
  const plan = planLetter(letter, { id: 7, ...changes });
  assert.equal(plan.id, 7);
  return plan.kind === 'skip' ? plan.detail : [plan.message.key, plan.message.value];
};

const NOT_WHOLE =
  'only its first bytes are kept, because it was too large or could not be decompressed; give it a key and a value';
const NOT_TEXT = [Buffer.from([0xff]), Buffer.alloc(0), null];

describe('a letter that is to be redriven', () => {
  test('is published as it is, or with another key or value', () => {
    const letter = letterWith();
    assert.deepEqual(planOf(letter), ['ORD-1', 'no event']);
    assert.deepEqual(planOf(letter, { key: 'k' }), ['k', 'no event']);
    assert.deepEqual(planOf(letter, { value: '{}' }), ['ORD-1', '{}']);
    assert.deepEqual(planOf(letter, { key: '', value: '' }), ['', '']);
  });

  test('is skipped if there is none, or if it was redriven before', () => {
    assert.equal(planOf(undefined), 'there is no dead letter with this id');
    const redrive = { at: 0, partition: 0, offset: 0, outcome: 'applied' } as const;
    assert.equal(planOf(letterWith({ redrive })), 'it was redriven before');
  });

  for (const bytes of NOT_TEXT) {
    test(`is skipped if its key or value is not text and is not given: ${bytes?.toString('hex') ?? 'null'}`, () => {
      assert.equal(planOf(letterWith({ key: bytes })), 'its key is not text; give it one');
      assert.equal(planOf(letterWith({ value: bytes })), 'its value is not text; give it one');
      assert.deepEqual(planOf(letterWith({ key: bytes, value: bytes }), { key: 'k', value: 'v' }), ['k', 'v']);
    });
  }

  test('is skipped if it is not whole, unless both its key and its value are given', () => {
    const part = letterWith({ isWhole: false });
    for (const given of [{}, { key: 'k' }, { value: 'v' }]) assert.equal(planOf(part, given), NOT_WHOLE);
    assert.deepEqual(planOf(part, { key: 'k', value: 'v' }), ['k', 'v']);
  });

  test('keeps its headers, without those of an earlier redrive', () => {
    const header = ['trace', null] as const;
    const headers = [header, [REDRIVEN_FROM, null], [REDRIVEN_PROOF, Buffer.from('x')], header] as const;
    const letter = letterWith({ headers });
    const plan = planLetter(letter, { id: 7 });
    assert.deepEqual(plan.kind === 'publish' && plan.message.headers, [header, header]);
    assert.equal(plan.kind === 'publish' && plan.letter, letter);
  });
});
