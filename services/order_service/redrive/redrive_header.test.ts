import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { HeaderList } from '#kafka_common/broker.ts';
import { REDRIVEN_FROM, REDRIVEN_PROOF, redriveClaim, redriveHeaders } from './redrive_header.ts';
import { createRedriveProof } from './redrive_proof.ts';

const LETTER = { topic: 'orders.events', partition: 3, offset: 17 };

const header = (name: string, text: string): HeaderList[number] => [name, Buffer.from(text)];

const claimOf = (from: string, proof = 'p') =>
  redriveClaim([header(REDRIVEN_FROM, from), header(REDRIVEN_PROOF, proof)]);

describe('the headers of a redrive', () => {
  test('name the position of the letter and the proof, and are read back', () => {
    const headers = redriveHeaders(LETTER, 'p');
    assert.deepEqual(headers, [header('redriven-from', 'orders.events/3/17'), header('redriven-proof', 'p')]);
    assert.deepEqual(redriveClaim([['trace', null], ...headers]), { letter: LETTER, proof: 'p' });
  });

  test('claim nothing without a proof, or without a position', () => {
    assert.equal(redriveClaim([]), null);
    assert.equal(redriveClaim([header(REDRIVEN_FROM, 't/3/17')]), null);
    assert.equal(redriveClaim([header(REDRIVEN_FROM, 't/3/17'), [REDRIVEN_PROOF, null]]), null);
    assert.equal(redriveClaim([header(REDRIVEN_PROOF, 'p')]), null);
  });

  test('count as they stand first', () => {
    const headers = [header(REDRIVEN_PROOF, 'p'), header(REDRIVEN_FROM, 't/3/17')];
    const again = [header(REDRIVEN_PROOF, 'q'), header(REDRIVEN_FROM, 't/3/18')];
    assert.deepEqual(redriveClaim([...headers, ...again]), { letter: { ...LETTER, topic: 't' }, proof: 'p' });
  });

  test('may name the longest topic and the largest numbers', () => {
    const topic = 'x'.repeat(249);
    assert.deepEqual(claimOf(`${topic}/999999999/999999999999999`)?.letter, {
      topic,
      partition: 999_999_999,
      offset: 999_999_999_999_999,
    });
  });

  for (const from of [
    '',
    'everything',
    'a t/3/17',
    '/3/17',
    't/3',
    't/3/17/1',
    't/3/17x',
    't/-1/17',
    't/3/1x',
    't//17',
    't/3/',
    `${'x'.repeat(250)}/3/17`,
    't/1234567890/17',
    't/3/1234567890123456',
  ]) {
    test(`claim nothing if the position is ${JSON.stringify(from)}`, () => assert.equal(claimOf(from), null));
  }

  test('are not read if they are longer than 300 bytes', () => {
    assert.notEqual(claimOf('t/3/17', 'p'.repeat(300)), null);
    assert.equal(claimOf('t/3/17', 'p'.repeat(301)), null);
  });
});

describe('the proof of a redrive', () => {
  const KEY = Buffer.alloc(32, 'k');
  const TARGET = { topicId: 'topic-1', partition: 4 };
  const proof = createRedriveProof(KEY);

  test('is always the same: the HMAC-SHA-256 of letter and target', () => {
    assert.equal(proof(LETTER, TARGET), createRedriveProof(Buffer.from(KEY))({ ...LETTER }, { ...TARGET }));
    assert.equal(proof(LETTER, TARGET), 'MG6YT4aJByu3PDR8hPiudXlMwFaaMTKp6ocR6ux-0mU');
  });

  test('is another one for another key, letter or target', () => {
    const others = [
      createRedriveProof(Buffer.alloc(32, 'l'))(LETTER, TARGET),
      proof({ ...LETTER, topic: 't' }, TARGET),
      proof({ ...LETTER, partition: 4 }, TARGET),
      proof({ ...LETTER, offset: 18 }, TARGET),
      proof(LETTER, { ...TARGET, topicId: 'topic-2' }),
      proof(LETTER, { ...TARGET, partition: 5 }),
    ];
    assert.equal(new Set([proof(LETTER, TARGET), ...others]).size, 7);
  });
});
