import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { LogRecord } from '#kafka_common/broker.ts';
import { createBatchApplier } from '#order_service/consuming/batch_applier.ts';
import { batchOf, created, record } from '#tests/support/events.ts';
import { REDRIVE_PROOF } from '#tests/support/redrive_proof.ts';
import { createRunnerPlace, TOPIC } from '#tests/support/runner_place.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { redriveHeaders } from './redrive_header.ts';
import { createRedriveProof } from './redrive_proof.ts';

let place: Awaited<ReturnType<typeof createRunnerPlace>>;

beforeEach(async () => (place = await createRunnerPlace()));
afterEach(() => place.remove());

/** The topic of `batchOf`. Its partition 3 has one dead letter, at offset 0; redriven, it goes to partition 4. */
const TOPIC_ID = 'topic-1';
const LETTER = { topic: TOPIC, partition: 3, offset: 0 };
const TARGET = { topicId: TOPIC_ID, partition: 4 };
const HEADERS = redriveHeaders(LETTER, REDRIVE_PROOF(LETTER, TARGET));
const TEXTS = Object.fromEntries(HEADERS.map(([name, value]) => [name, String(value)]));

type Header = readonly [name: string, value: Buffer | null];

const bytes = (headers: Readonly<Record<string, string>>): Header[] =>
  Object.entries(headers).map(([name, value]) => [name, Buffer.from(value)]);

const withLetter = async () => {
  const applier = createBatchApplier({
    db: place.db,
    logger: createTestLog().logger,
    now: Date.now,
    redriveProof: REDRIVE_PROOF,
    storeRetryDelay: () => 0,
    observers: [],
    signal: new AbortController().signal,
  });
  await applier.apply(batchOf(3, 0, ['no event']), null);
  const next = new Map([[3, 1]]);
  return {
    read: async (partition: number, content: Parameters<typeof record>[0], headers: LogRecord['headers']) => {
      const from = next.get(partition) ?? null;
      const offset = from ?? 0;
      next.set(partition, offset + 1);
      const batch = { ...batchOf(partition, offset, [content]), records: [record(content, { offset, headers })] };
      await applier.apply(batch, from);
    },
    redrive: async () => (await place.db.deadLetters(0, 1))[0]?.redrive ?? null,
  };
};

describe('a message with the headers of a redrive', () => {
  for (const [what, content, outcome] of [
    ['an event', created('ORD-1'), 'applied'],
    ['a dead letter again', 'still no event', 'dead_letter'],
  ] as const) {
    test(`marks its letter if this service has published it: ${what}`, async () => {
      const { read, redrive } = await withLetter();
      await read(4, content, [['trace', null], ...HEADERS]);
      const at = record('').timestamp;
      assert.deepEqual(await redrive(), { at, partition: 4, offset: 0, outcome });
    });
  }

  const other = { ...LETTER, offset: 1 };
  const otherKey = createRedriveProof(Buffer.alloc(32, 'another key'));
  const { 'redriven-from': from, 'redriven-proof': proof } = TEXTS;
  const forged: Record<string, { partition?: number; headers: readonly Header[] }> = {
    'has no proof': { headers: bytes({ 'redriven-from': `${TOPIC}/3/0` }) },
    'has the proof of another service': { headers: redriveHeaders(LETTER, otherKey(LETTER, TARGET)) },
    'has a copied proof, but is in another partition': { partition: 5, headers: HEADERS },
    'has the proof of another letter': { headers: redriveHeaders(LETTER, REDRIVE_PROOF(other, TARGET)) },
    'has a proof for a former topic of the same name': {
      headers: redriveHeaders(LETTER, REDRIVE_PROOF(LETTER, { ...TARGET, topicId: 'topic-0' })),
    },
    'names no position': { headers: bytes({ ...TEXTS, 'redriven-from': 'everything' }) },
    'has null for a proof': { headers: [...bytes({ 'redriven-from': `${from}` }), ['redriven-proof', null]] },
    'has an empty proof': { headers: bytes({ ...TEXTS, 'redriven-proof': '' }) },
    'has a proof with more behind it': { headers: bytes({ ...TEXTS, 'redriven-proof': `${proof}A` }) },
    'has garbage': {
      headers: [
        ['redriven-from', Buffer.from([0xff, 0x00])],
        ['redriven-proof', Buffer.from([0xfe])],
      ],
    },
    'has a megabyte': { headers: bytes({ 'redriven-from': `${from}`.padEnd(1_000_000, '0'), 'redriven-proof': 'x' }) },
  };
  for (const [what, { partition = 4, headers }] of Object.entries(forged)) {
    test(`changes no dead letter if it ${what}, and does not keep the true redrive from marking it`, async () => {
      const { read, redrive } = await withLetter();
      await read(partition, created('ORD-1'), headers);
      await read(partition, 'no event', headers);
      assert.equal(await redrive(), null);
      assert.equal((await place.db.order('ORD-1'))?.status, 'new', 'the event itself is applied');
      await read(4, created('ORD-2'), HEADERS);
      assert.equal((await redrive())?.outcome, 'applied');
    });
  }

  test('leaves a letter as it was marked first', async () => {
    const { read, redrive } = await withLetter();
    await read(4, created('ORD-1'), HEADERS);
    const first = await redrive();
    await read(4, created('ORD-2'), HEADERS);
    assert.deepEqual(await redrive(), first);
  });
});
