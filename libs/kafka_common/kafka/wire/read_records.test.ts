import assert from 'node:assert/strict';
import { test } from 'node:test';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { type AbortedTransaction } from './committed_batches.ts';
import { readRecords } from './read_records.ts';

/** Bytes of a fetch, whole or broken: reading them ends, and never leads backwards or out of the batches. */

const GZIP = 1;
const ZSTANDARD = 4;
/** Of the processor, so that a busy machine does not matter. */
const READ_MICROSECONDS = 5_000_000;

interface WrittenRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
}

interface WrittenBatch {
  readonly compression: number;
  readonly producerId: number;
  readonly isTransactional: boolean;
  readonly records: readonly WrittenRecord[];
  /** Offsets that compaction has removed before the batch. */
  readonly gap: number;
}

const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value >= 0 ? BigInt(value) * 2n : BigInt(-value) * 2n - 1n;
  for (; rest >= 0x80n; rest /= 0x80n) bytes.push(Number(rest % 0x80n) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
};

const field = (bytes: Buffer | null): Buffer =>
  bytes === null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes]);

const recordBytes = ({ key, value, headers }: WrittenRecord, delta: number): Buffer => {
  const fields = headers.flatMap(([name, content]) => [field(Buffer.from(name)), field(content)]);
  const parts = [varint(0), varint(delta), field(key), field(value), varint(headers.length), ...fields];
  const body = Buffer.concat([Buffer.alloc(1), ...parts]);
  return Buffer.concat([varint(body.length), body]);
};

const compressed = (compression: number, bytes: Buffer): Buffer => {
  if (compression === GZIP) return zlib.gzipSync(bytes);
  return compression === ZSTANDARD ? zlib.zstdCompressSync(bytes) : bytes;
};

const batchBytes = (batch: WrittenBatch, firstOffset: number): Buffer =>
  batchOf(batch, firstOffset, compressed(batch.compression, Buffer.concat(batch.records.map(recordBytes))));

/** A record batch of format 2 (Kafka protocol). The checksum is left out: nobody here reads it. */
const batchOf = (
  batch: Omit<WrittenBatch, 'records'> & { readonly records: { readonly length: number } },
  firstOffset: number,
  payload: Buffer,
): Buffer => {
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(firstOffset), 0);
  header.writeInt32BE(49 + payload.length, 8);
  header.writeInt8(2, 16);
  header.writeInt16BE(batch.compression | (batch.isTransactional ? 0x10 : 0), 21);
  header.writeInt32BE(batch.records.length - 1, 23);
  header.writeBigInt64BE(1_768_737_600_000n, 27);
  header.writeBigInt64BE(1_768_737_600_000n, 35);
  header.writeBigInt64BE(BigInt(batch.producerId), 43);
  header.writeInt32BE(batch.records.length, 57);
  return Buffer.concat([header, payload]);
};

const anyBytes = fc.option(fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)));

const anyBatch: fc.Arbitrary<WrittenBatch> = fc.record({
  compression: fc.constantFrom(0, 0, GZIP, ZSTANDARD),
  producerId: fc.nat(2),
  isTransactional: fc.boolean(),
  records: fc.array(
    fc.record({ key: anyBytes, value: anyBytes, headers: fc.array(fc.tuple(fc.string(), anyBytes), { maxLength: 3 }) }),
    { minLength: 1, maxLength: 6 },
  ),
  gap: fc.nat(3),
});

const anyLog = fc.array(anyBatch, { minLength: 1, maxLength: 4 }).map((batches) => {
  let next = 0;
  const written = batches.map((batch) => {
    const firstOffset = next + batch.gap;
    next = firstOffset + batch.records.length;
    return { ...batch, firstOffset };
  });
  return { written, bytes: Buffer.concat(written.map((batch) => batchBytes(batch, batch.firstOffset))), end: next };
});

const anyAborted: fc.Arbitrary<AbortedTransaction[]> = fc.array(
  fc.record({ producerId: fc.bigInt({ min: 0n, max: 2n }), firstOffset: fc.bigInt({ min: 0n, max: 30n }) }),
  { maxLength: 2 },
);

/** Reads, and holds the answer to what every caller relies on. @param end no offset may reach it; null: it is not known */
const readSoundly = async (bytes: Buffer, aborted: readonly AbortedTransaction[], from: number, end: number | null) => {
  const usedBefore = process.cpuUsage();
  const read = await readRecords(bytes, aborted, from);
  const { user, system } = process.cpuUsage(usedBefore);
  assert.ok(user + system < READ_MICROSECONDS);
  if (read === null) return null;
  let last = from - 1;
  for (const { offset, timestamp } of read.records) {
    assert.ok(Number.isSafeInteger(offset) && offset > last, `${offset} after ${last}`);
    assert.doesNotThrow(() => new Date(timestamp).toISOString());
    last = offset;
  }
  assert.ok(Number.isSafeInteger(read.next) && read.next > last && read.next > from, `${read.next} after ${last}`);
  if (end !== null) assert.ok(read.next <= end);
  return read;
};

test('whole batches are read as they were written, from any offset on', async () => {
  await fc.assert(
    fc.asyncProperty(anyLog, fc.nat(30), async ({ written, bytes, end }, from) => {
      const read = await readSoundly(bytes, [], from, end);
      const wanted = written
        .flatMap(({ records, firstOffset }) => records.map((record, n) => ({ ...record, offset: firstOffset + n })))
        .filter(({ offset }) => offset >= from);
      assert.deepEqual(
        read?.records.map(({ offset, key, value, headers }) => ({ offset, key, value, headers })) ?? [],
        wanted.map(({ offset, key, value, headers }) => ({ offset, key, value, headers })),
      );
      if (read === null) assert.ok(end <= from);
      else assert.equal(read.next, end);
    }),
    { numRuns: 500 },
  );
});

test('any bytes are read without an error, and never lead backwards', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), anyAborted, fc.maxSafeNat(), async (bytes, aborted, from) => {
      await readSoundly(Buffer.from(bytes), aborted, from, null);
    }),
    { numRuns: 1_000 },
  );
});

const anyChange = fc.record({ at: fc.nat(), byte: fc.nat(255) });
/** The bytes of a batch before this one hold its offsets, its length and its compression. */
const OFFSETS_END = 27;

test('batches with any bytes changed, or cut, are read without an error, and never lead backwards', async () => {
  const changes = fc.array(anyChange, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(anyLog, changes, fc.nat(2_000), anyAborted, fc.nat(30), async (log, wrong, cut, aborted, from) => {
      const bytes = Buffer.from(log.bytes.subarray(0, cut === 0 ? undefined : cut));
      for (const { at, byte } of wrong) bytes[at % bytes.length] = byte;
      await readSoundly(bytes, aborted, from, null);
    }),
    { numRuns: 1_000 },
  );
});

test('a batch whose records are broken keeps to its offsets, and the next batch is read', async () => {
  const changes = fc.array(anyChange, { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(anyBatch, anyBatch, changes, async (broken, whole, wrong) => {
      const first = batchBytes({ ...broken, isTransactional: false }, 10);
      for (const { at, byte } of wrong) first[OFFSETS_END + (at % (first.length - OFFSETS_END))] = byte;
      const firstNext = 10 + broken.records.length;
      const second = batchBytes({ ...whole, isTransactional: false }, firstNext);
      const end = firstNext + whole.records.length;
      const read = await readSoundly(Buffer.concat([first, second]), [], 10, end);
      assert.equal(read?.next, end);
      const ofSecond = read.records.filter(({ offset }) => offset >= firstNext);
      assert.deepEqual(
        ofSecond.map(({ key, value }) => [key, value]),
        whole.records.map(({ key, value }) => [key, value]),
      );
    }),
    { numRuns: 1_000 },
  );
});

/** A message of format 1 (Kafka protocol): no key, and a value. */
const oldMessage = (offset: number, value: string): Buffer => {
  const bytes = Buffer.alloc(34 + value.length);
  bytes.writeBigInt64BE(BigInt(offset), 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes.writeInt8(1, 16);
  bytes.writeBigInt64BE(1_768_737_600_000n, 18);
  bytes.writeInt32BE(-1, 26);
  bytes.writeInt32BE(value.length, 30);
  bytes.write(value, 34);
  return bytes;
};

test('each message of a format before 2 is one that cannot be read, and the next batch is read', async () => {
  const records = [{ key: null, value: Buffer.from('good'), headers: [] }];
  const good = batchBytes({ compression: 0, producerId: 0, isTransactional: false, gap: 0, records }, 6);
  const bytes = Buffer.concat([
    oldMessage(4, ''),
    oldMessage(5, 'a longer value of some eighty bytes'.repeat(3)),
    good,
  ]);
  const read = await readSoundly(bytes, [], 3, 7);
  assert.deepEqual(
    read?.records.map(({ offset, unreadable }) => [offset, unreadable?.replace(/.*: /, '')]),
    [
      [4, 'its format is older than 2'],
      [5, 'its format is older than 2'],
      [6, undefined],
    ],
  );
  assert.equal(read.next, 7);
});

test('a decompression bomb before another record of its batch is given up after a limit', async () => {
  const records = { length: 2 };
  const batch = { compression: GZIP, producerId: 0, isTransactional: false, records, gap: 0 };
  // GZIP takes several members for one stream (RFC 1952, section 2.2).
  const zeros = zlib.gzipSync(Buffer.alloc(33_554_432));
  const payload = Buffer.concat([zlib.gzipSync(varint(30_000_000_000)), ...Array.from({ length: 40 }, () => zeros)]);
  const good = batchBytes({ ...batch, records: [{ key: null, value: Buffer.from('good'), headers: [] }] }, 2);
  const read = await readSoundly(Buffer.concat([batchOf(batch, 0, payload), good]), [], 0, 3);
  assert.deepEqual(
    read?.records.map(({ offset, unreadable }) => [offset, unreadable?.replace(/.*(, more than|: ).*?/, '')]),
    [
      [0, ' 1048576; its value was cut'],
      [1, 'it has more than 268435456 bytes'],
      [2, undefined],
    ],
  );
});
