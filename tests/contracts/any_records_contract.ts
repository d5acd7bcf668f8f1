import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Broker, LogRecord, Message } from '#kafka_common/broker.ts';
import { headerList } from '#kafka_common/header_list.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { type BatchApplier, createBatchApplier } from '#order_service/consuming/batch_applier.ts';
import type { ConsumerDb, StoredEvent } from '#order_service/consumer_db.ts';
import { createOrderWaiters } from '#order_service/live/order_waiters.ts';
import { createViewWatch } from '#order_service/live/view_watch.ts';
import { anyRecord } from '#tests/support/any_records.ts';
import { newApp } from '#tests/support/order_app.ts';
import { REDRIVE_PROOF } from '#tests/support/redrive_proof.ts';
import { TOPIC } from '#tests/support/runner_place.ts';
import { createTestLog } from '#tests/support/test_log.ts';

/** Whatever record others write, it ends as an event or as a dead letter that can be listed and redriven. */

const PARTITIONS = 6;
const LOG_TOPIC = { name: TOPIC, id: 'topic-1', partitions: PARTITIONS };

interface ListedLetter extends Readonly<Record<string, unknown>> {
  readonly id: number;
  readonly offset: number;
  readonly reason: string;
  readonly complete: boolean;
  readonly headers: readonly { readonly name: string; readonly value: ListedBytes }[];
  readonly key: ListedBytes;
  readonly value: ListedBytes;
  readonly redriven: { readonly outcome: string; readonly offset: number } | null;
}

type ListedBytes = { readonly text: string } | { readonly base64: string } | null;

let db: ConsumerDb;
let app: HttpApp;
let applier: BatchApplier;
let published: Message[] = [];
/** The next offset of each partition. */
const nexts = new Map<number, number>();

const broker: Pick<Broker, 'bounds' | 'describeTopic' | 'publish'> = {
  bounds: async () => new Map(),
  describeTopic: async () => LOG_TOPIC,
  publish: async (_topic, messages) => {
    published.push(...messages);
    return messages.map(({ key }) => ({ kind: 'acknowledged', partition: partitionOf(key, PARTITIONS), offset: 0 }));
  },
};

/** Applies records as one batch, after a gap in the offsets. */
const write = async (partition: number, gap: number, contents: readonly Omit<LogRecord, 'offset'>[]) => {
  const from = nexts.get(partition) ?? null;
  const first = (from ?? 0) + gap;
  const records = contents.map((content, n): LogRecord => ({ ...content, offset: first + n }));
  const next = first + records.length;
  await applier.apply({ topic: LOG_TOPIC, partition, records, next, end: next }, from);
  nexts.set(partition, next);
  return records;
};

const lettersAfter = async (id: number): Promise<readonly ListedLetter[]> => {
  const response = await app.inject(`/dead-letters?state=all&limit=1000&after=${id}`);
  assert.equal(response.statusCode, 200, response.body);
  return response.json<{ deadLetters: ListedLetter[] }>().deadLetters;
};

const bytesOf = (listed: ListedBytes): Buffer | null => {
  if (listed === null) return null;
  return 'text' in listed ? Buffer.from(listed.text) : Buffer.from(listed.base64, 'base64');
};

const assertListedAs = (letter: ListedLetter, { key, value, headers, unreadable }: LogRecord): void => {
  assert.ok(letter.reason.length > 0);
  assert.deepEqual(bytesOf(letter.key), key);
  assert.deepEqual(bytesOf(letter.value), value);
  assert.deepEqual(
    letter.headers.map(({ name, value: listed }) => [name, bytesOf(listed)]),
    headers,
  );
  assert.equal(letter.complete, unreadable === undefined);
};

const isOfRedrive = ([name]: readonly [string, unknown]): boolean =>
  name === 'redriven-from' || name === 'redriven-proof';

const redrive = async (letters: readonly ListedLetter[]) => {
  published = [];
  const payload = { letters: letters.map(({ id }) => ({ id })) };
  const response = await app.inject({ method: 'POST', url: '/dead-letters/redrive', payload });
  assert.equal(response.statusCode, 200, response.body);
  const { results } = response.json<{ results: { id: number; outcome: string; detail: string | null }[] }>();
  assert.deepEqual(
    results.map(({ id }) => id),
    letters.map(({ id }) => id),
  );
  for (const { outcome, detail } of results) if (outcome !== 'published') assert.ok(outcome === 'skipped' && detail);
  return results.flatMap(({ outcome }, n) => (outcome === 'published' ? letters.slice(n, n + 1) : []));
};

const eventsAfter = (id: string): Promise<readonly StoredEvent[]> => db.eventsAfter(id, 1_000);

/** Writes redriven messages as the broker would, and checks what their letters then say. */
const assertComeBack = async (sent: readonly ListedLetter[], lastId: number): Promise<void> => {
  for (const [n, { key, value, headers }] of published.entries()) {
    const content = { key: Buffer.from(key), value: Buffer.from(value), headers: headerList(headers), timestamp: n };
    const [record] = await write(partitionOf(key, PARTITIONS), 0, [content]);
    const [letter] = await lettersAfter((sent[n]?.id ?? 0) - 1);
    assert.deepEqual([letter?.redriven?.offset, letter?.redriven?.outcome], [record?.offset, 'dead_letter']);
  }
  assert.equal((await lettersAfter(lastId)).length, published.length);
};

const places = fc.record({ partition: fc.nat(PARTITIONS - 1), gap: fc.constantFrom(0, 0, 1, 1_000_000) });

interface AnyRecordsOptions {
  readonly skip?: string | false;
  readonly numRuns: number;
}

/** What every store does with them. At most once in a file. @param open an empty store */
export const anyRecordsContract = (
  name: string,
  open: () => Promise<ConsumerDb>,
  { numRuns, ...options }: AnyRecordsOptions,
): void => {
  describe(`any records, in ${name}`, options, () => {
    before(async () => {
      db = await open();
      app = await newApp({ db, broker, waiters: createOrderWaiters({ limit: 2, db, watch: createViewWatch({ db }) }) });
      applier = createBatchApplier({
        db,
        logger: createTestLog().logger,
        now: Date.now,
        redriveProof: REDRIVE_PROOF,
        // A store that refuses a record would be tried again for ever.
        storeRetryDelay: () => assert.fail('the store refused the records'),
        observers: [],
        signal: new AbortController().signal,
      });
    });

    after(async () => {
      await app.close();
      await db.close();
    });

    test('any records become events, or dead letters that are listed and redriven byte for byte', async () => {
      await fc.assert(
        fc.asyncProperty(places, fc.array(anyRecord, { minLength: 1, maxLength: 8 }), async (at, contents) => {
          const [lastId, lastLetter] = [await db.lastEventId(), await db.lastDeadLetter()];
          const records = await write(at.partition, at.gap, contents);
          const events = await eventsAfter(lastId);
          const letters = await lettersAfter(lastLetter);
          const offsets = [...events, ...letters].map(({ offset }) => offset).toSorted((a, b) => a - b);
          assert.deepEqual(
            offsets,
            records.map(({ offset }) => offset),
          );
          const recordOf = new Map(records.map((record) => [record.offset, record]));
          for (const letter of letters) assertListedAs(letter, recordOf.get(letter.offset) ?? assert.fail('no record'));
          if (letters.length === 0) return;

          const held = letters.filter(({ redriven }) => redriven === null);
          assert.deepEqual(held, letters, 'nobody can mark a letter as redriven without the proof');
          const sent = await redrive(held);
          assert.equal(sent.length, published.length);
          for (const [n, letter] of sent.entries()) {
            const record = recordOf.get(letter.offset);
            const { key, value, headers } = published[n] ?? assert.fail('not published');
            assert.deepEqual([Buffer.from(key), Buffer.from(value)], [record?.key, record?.value]);
            assert.deepEqual(
              headerList(headers).filter((header) => !isOfRedrive(header)),
              record?.headers.filter((header) => !isOfRedrive(header)),
            );
          }
          await assertComeBack(sent, letters.at(-1)?.id ?? 0);
        }),
        { numRuns },
      );
    });

    test('all that any records have left in the view is listed by its routes', async () => {
      for (const { orderId } of await eventsAfter('0')) {
        const history = await app.inject(`/orders/${encodeURIComponent(orderId)}/events`);
        assert.equal(history.statusCode, 200, history.body);
      }
      for (const url of ['/orders?limit=1000', '/pending-statuses', '/flow']) {
        const response = await app.inject(url);
        assert.equal(response.statusCode, 200, response.body);
        response.json();
      }
    });
  });
};
