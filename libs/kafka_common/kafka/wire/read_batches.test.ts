import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { recordBytes } from '#tests/support/record_bytes.ts';
import { readRecords } from './read_records.ts';

const GZIP = 1;
const TRANSACTIONAL = 0x10;

interface Written {
  readonly values?: readonly (string | Buffer)[];
  readonly attributes?: number;
  readonly producerId?: number;
  /** How many records the header promises. */
  readonly count?: number;
  readonly format?: number;
  readonly lastDelta?: number;
}

/** A record batch with a record for each value. */
const batchAt = (firstOffset: number, written: Written = {}): Buffer => {
  const { values = ['a', 'b'], attributes = 0, producerId = -1, format = 2 } = written;
  const { count = values.length, lastDelta = count - 1 } = written;
  const records = Buffer.concat(values.map((value, n) => recordBytes({ value }, n)));
  const payload = (attributes & 0b111) === GZIP ? gzipSync(records) : records;
  const header = Buffer.alloc(61);
  header.writeBigInt64BE(BigInt(firstOffset), 0);
  header.writeInt32BE(49 + payload.length, 8);
  header.writeInt8(format, 16);
  header.writeInt16BE(attributes, 21);
  header.writeInt32BE(lastDelta, 23);
  header.writeBigInt64BE(BigInt(producerId), 43);
  header.writeInt32BE(count, 57);
  return Buffer.concat([header, payload]);
};

const read = async (from: number, ...batches: readonly Buffer[]) => {
  const found = await readRecords(Buffer.concat(batches), [], from);
  return found && [found.records.map(({ offset, unreadable }) => unreadable ?? offset), found.next];
};

const cannot = (bytes: number, offsets: string, reason: string): string =>
  `the record batch of ${bytes} bytes, offsets ${offsets}, cannot be read: ${reason}`;

describe('fetched bytes', () => {
  test('give the records from an offset on, and the next offset', async () => {
    const batches = [batchAt(0), batchAt(2), batchAt(9, { attributes: GZIP })];
    assert.deepEqual(await read(0, ...batches), [[0, 1, 2, 3, 9, 10], 11]);
    assert.deepEqual(await read(1, ...batches), [[1, 2, 3, 9, 10], 11]);
    assert.deepEqual(await read(3, ...batches), [[3, 9, 10], 11]);
    assert.deepEqual(await read(10, ...batches), [[10], 11]);
  });

  test('give nothing if they end before the offset', async () => {
    assert.equal(await read(0), null);
    assert.equal(await read(2, batchAt(0)), null);
  });

  test('go on behind offsets that compaction has removed', async () => {
    assert.deepEqual(await read(0, batchAt(0, { lastDelta: 7 })), [[0, 1], 8]);
    assert.deepEqual(await read(5, batchAt(0, { lastDelta: 7 })), [[], 8]);
  });

  test('give no record of an aborted transaction', async () => {
    const bytes = Buffer.concat([batchAt(0, { attributes: TRANSACTIONAL, producerId: 7 }), batchAt(2)]);
    const found = await readRecords(bytes, [{ producerId: 7n, firstOffset: 0n }], 0);
    assert.deepEqual([found?.records.map(({ offset }) => offset), found?.next], [[2, 3], 4]);
  });
});

describe('a batch that cannot be read', () => {
  test('is one record with the reason, and the next batch is read', async () => {
    const old = batchAt(0, { values: ['a'], format: 1 });
    assert.deepEqual(await read(0, old, batchAt(1)), [
      [cannot(old.length - 16, '0 to 0', 'its format is older than 2'), 1, 2],
      3,
    ]);
    const unknown = batchAt(0, { attributes: 7 });
    const reason = 'compression 7 is not known';
    assert.deepEqual(await read(0, unknown, batchAt(2)), [[cannot(unknown.length - 61, '0 to 1', reason), 2, 3], 4]);
  });

  test('gives the records before its fault', async () => {
    for (const attributes of [0, GZIP]) {
      const short = batchAt(0, { count: 3, attributes });
      const reason = cannot(short.length - 61, '0 to 2', 'it ends before its last record');
      assert.deepEqual(await read(0, short, batchAt(3)), [[0, 1, reason, 3, 4], 5]);
    }
  });

  test('has the offset that was asked for, or its first one', async () => {
    const broken = batchAt(5, { attributes: 7, lastDelta: 4 });
    for (const [from, offset] of [
      [0, 5],
      [7, 7],
    ] as const) {
      const found = await readRecords(broken, [], from);
      assert.deepEqual([found?.records.map((record) => record.offset), found?.next], [[offset], 10]);
    }
  });

  test('is no record if all of its records were read', async () => {
    assert.deepEqual(await read(0, batchAt(0, { count: 3, lastDelta: 1 })), [[0, 1], 2]);
  });
});

describe('fetched bytes of more than 8 MiB', () => {
  const large = Buffer.alloc(1_000_000);
  const nine = Array.from({ length: 9 }, () => large);

  test('are read in parts of one batch', async () => {
    for (const attributes of [0, GZIP])
      assert.deepEqual(await read(0, batchAt(0, { values: [...nine, 'x'], attributes }), batchAt(10)), [
        [0, 1, 2, 3, 4, 5, 6, 7, 8],
        9,
      ]);
  });

  test('are read up to the end of a batch', async () => {
    assert.deepEqual(await read(0, batchAt(0, { values: nine, lastDelta: 11 }), batchAt(12)), [
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
      12,
    ]);
    const five = nine.slice(0, 5);
    assert.deepEqual(await read(0, batchAt(0, { values: five }), batchAt(5, { values: five }), batchAt(10)), [
      [0, 1, 2, 3, 4, 5, 6, 7, 8],
      9,
    ]);
  });
});
