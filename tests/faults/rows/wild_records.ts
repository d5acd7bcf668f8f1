import assert from 'node:assert/strict';
import { endsOf } from '#kafka_common/ends_of.ts';
import { whyNoPython } from '#tests/support/python.ts';
import { orderDetails } from '#tests/e2e/api.ts';
import { eventually } from '#tests/support/eventually.ts';
import { directOrderId, historyOf, publishAll, toMessage } from '#tests/faults/direct_events.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import {
  type ForeignClient,
  type ForeignMessage,
  installForeignClient,
  withForeignClient,
} from '#tests/faults/foreign/foreign_client.ts';
import { foreignMessage } from '#tests/faults/foreign/foreign_events.ts';
import { withRawTopic } from '#tests/faults/raw_topic.ts';
import { readView, untilViewHasAll } from '#tests/faults/stored_view.ts';

/** Records that no well-meaning producer writes, from a client of another make: each concerns itself alone. */

const FAMILY = 12;
/** The next good event must be readable this soon after a wild record. */
const READABLE_MS = 2_000;
const APPLIED_MS = 30_000;
const LARGEST = 2n ** 63n - 1n;
const MEGABYTE = 1_000_000;

type Compression = Parameters<ForeignClient['write']>[1];

interface Wild {
  readonly what: string;
  readonly message: (orderId: string) => ForeignMessage;
  readonly compression?: Compression;
  /** Left out: a dead letter. */
  readonly becomes?: 'order' | 'dead_letter';
}

const TEXT = 'hello';

const createdMessage = (orderId: string, fields: object = {}): ForeignMessage => {
  const [created] = historyOf(orderId, []);
  assert(created);
  const message = foreignMessage(created, 1);
  return { ...message, value: JSON.stringify({ ...(JSON.parse(String(message.value)) as object), ...fields }) };
};

const bomb = (compression: Compression, megabytes: number): Wild => ({
  what: `${megabytes} MB of zeros in ${compression}`,
  message: (key) => ({ key, zeros: megabytes * MEGABYTE }),
  compression,
});

const timed = (timestamp: number | bigint): Wild[] => [
  { what: `text at ${timestamp}`, message: (key) => ({ key, value: TEXT, timestamp: Number(timestamp) }) },
  {
    what: `an order at ${timestamp}`,
    message: (id) => ({ ...createdMessage(id), timestamp: Number(timestamp) }),
    becomes: 'order',
  },
];

const versioned = (version: number, becomes: Wild['becomes']): Wild => ({
  what: `version ${version}`,
  message: (id) => createdMessage(id, { version }),
  ...(becomes && { becomes }),
});

const headed = (what: string, headers: ForeignMessage['headers']): Wild => ({
  what,
  message: (id) => ({ ...createdMessage(id), headers: headers ?? [] }),
  becomes: 'order',
});

const WILD: readonly Wild[] = [
  bomb('zstd', 500),
  bomb('gzip', 200),
  bomb('lz4', 200),
  bomb('snappy', 20),
  { what: '3 MB that are no event', message: (key) => ({ key, value: 'x'.repeat(3 * MEGABYTE) }) },
  ...timed(1_795_773_600_000_000_000n),
  ...timed(LARGEST - 1_023n),
  ...timed(8_640_000_000_000_001n),
  versioned(Number.MAX_SAFE_INTEGER, 'dead_letter'),
  versioned(2 ** 31, 'dead_letter'),
  versioned(2 ** 31 - 1, 'order'),
  headed('repeated, empty and binary headers', [
    ['h', Buffer.from('1')],
    ['h', Buffer.from('2')],
    ['', null],
    ['bin', Buffer.from([0xff, 0x00, 0xfe])],
  ]),
  headed(
    '5,000 headers',
    Array.from({ length: 5_000 }, (_, n) => [`h${n}`, Buffer.from('v')] as const),
  ),
  headed('a header of 900 KB', [['large', Buffer.alloc(900_000)]]),
  headed('a redrive that nobody made', [['redriven-from', Buffer.from('orders.events/0/0')]]),
  headed('a redrive of garbage', [['redriven-from', Buffer.from([0xff, 0xfe])]]),
  { what: 'a key of 100 KB', message: () => ({ key: 'k'.repeat(100_000), value: TEXT }) },
];

const wildRecords: Fault = {
  name: 'wild-records',
  title: `${WILD.length} wild records of librdkafka among good events: bombs, times, versions, headers, sizes`,
  rounds: { full: 20, short: 1 },
  on: { broker: 'kafka' },
  cannotRun: whyNoPython,
  residentBytes: 400_000_000,

  async prepare(stage) {
    installForeignClient();
    await withRawTopic(stage, async (raw) => {
      await raw.set('message.timestamp.type', 'CreateTime');
      await raw.set('message.timestamp.after.max.ms', String(LARGEST));
      await raw.set('max.message.bytes', String(10 * MEGABYTE));
    });
  },

  async run(stage, round) {
    const partitions = (await stage.broker.bounds(stage.topic)).size;
    const held = await lettersHeld(stage);
    const waits: number[] = [];
    await withForeignClient(stage, async (client) => {
      for (const [index, wild] of WILD.entries()) {
        const [wildId, good] = [orderAt(round, 2 * index), orderAt(round, 2 * index + 1)];
        const partition = (round + index) % partitions;
        await client.write([{ ...wild.message(wildId), partition }], wild.compression);
        const at = performance.now();
        // In the same partition, behind the wild one.
        await client.write([{ ...createdMessage(good), partition }]);
        await eventually(() => readable(stage, good), APPLIED_MS);
        waits.push(performance.now() - at);
        if (wild.becomes === 'order') await readable(stage, wildId, wild.what);
      }
      await publishAll(stage.broker, stage.topic, historyOf(orderAt(round, 999), ['confirmed']).map(toMessage));
    });
    stage.healed();
    await untilViewHasAll(stage, APPLIED_MS * stage.patience);
    assert.deepEqual(readView(stage.storeDir, stage.topic).orders.get(orderAt(round, 999)), {
      version: 2,
      status: 'confirmed',
      isPending: false,
    });
    const expected = WILD.filter(({ becomes }) => becomes !== 'order').length;
    assert.equal(
      (await lettersHeld(stage)) - held,
      expected,
      'each wild record is one dead letter, and none is marked',
    );
    const ends = await endsOf(stage.broker, stage.topic);
    assert.equal(ends.size, partitions);
    stage.note(`next good event readable after at most ${Math.max(...waits).toFixed(0)} ms`);
    const slow = WILD.filter((_, index) => (waits[index] ?? 0) > READABLE_MS * stage.patience);
    assert.deepEqual(
      slow.map(({ what }) => what),
      [],
      `the next good event was not readable within ${READABLE_MS} ms`,
    );
  },
};

export const wildRecordRows: readonly Fault[] = [wildRecords];

const orderAt = (round: number, number: number): string => directOrderId(FAMILY, round * 1_000 + number);

const readable = async ({ order }: Stage, orderId: string, what = orderId): Promise<void> =>
  assert.equal((await orderDetails(order.url, orderId)).status, 200, what);

const PAGE = 100;

/** The number of dead letters that are not marked as redriven. Every page of the list must be readable. */
const lettersHeld = async ({ order }: Stage): Promise<number> => {
  let held = 0;
  for (let after = 0; ;) {
    const path = `/dead-letters?state=held&limit=${PAGE}&after=${after}`;
    const response = await fetch(`${order.url}${path}`, { signal: AbortSignal.timeout(10_000) });
    assert.equal(response.status, 200, 'the dead letters can be listed');
    const { deadLetters } = (await response.json()) as { deadLetters: { id: number }[] };
    held += deadLetters.length;
    if (deadLetters.length < PAGE) return held;
    after = deadLetters.at(-1)?.id ?? 0;
  }
};
