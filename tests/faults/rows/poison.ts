import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { directOrderId, historyOf, publishAll, toMessage } from '#tests/faults/direct_events.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { openRawTopic } from '#tests/faults/raw_topic.ts';
import { readinessOf } from '#tests/faults/readiness.ts';
import { readView, untilViewHasAll } from '#tests/faults/stored_view.ts';
import { COUNTED_ORDERS, POISON } from './poison_kinds.ts';

const FAMILY = 2;
const APPLIED_MS = 30_000;

const poison: Fault = {
  name: 'poison',
  title: `${POISON.length} kinds of poison among good events`,
  rounds: { full: 1, short: 1 },
  on: { broker: 'kafka' },

  async run(stage, round) {
    const before = { letters: deadLetters(stage).length, mismatches: (await readinessOf(stage.order)).keyMismatches };
    const raw = openRawTopic(stage.kafka[0]?.bootstrapServers ?? '', stage.topic);
    const partitions = (await stage.broker.bounds(stage.topic)).size;
    const good: string[] = [];
    try {
      for (const [index, { key, value }] of POISON.entries()) {
        const orderId = directOrderId(FAMILY, round * 1_000 + index);
        good.push(orderId);
        const [created, updated] = historyOf(orderId, ['confirmed']).map(toMessage);
        if (created) await publishAll(stage.broker, stage.topic, [created]);
        await raw.write([{ partition: index % partitions, key, value }]);
        if (updated) await publishAll(stage.broker, stage.topic, [updated]);
      }
    } finally {
      await raw.close();
    }
    stage.healed();
    await untilViewHasAll(stage, APPLIED_MS);

    const letters = deadLetters(stage).slice(before.letters);
    const expected = POISON.filter(({ becomes }) => becomes === 'dead_letter');
    for (const { what, value } of expected) {
      const kept = letters.filter((letter) => equalBytes(letter, value));
      assert.equal(
        kept.length,
        expected.filter((other) => equalBytes(other.value, value)).length,
        `${what}: one dead letter`,
      );
    }
    assert.equal(letters.length, expected.length, 'nothing else is a dead letter');
    assert.equal((await readinessOf(stage.order)).keyMismatches - before.mismatches, POISON.length - expected.length);

    const { orders } = readView(stage.storeDir, stage.topic);
    for (const orderId of good)
      assert.deepEqual(orders.get(orderId), { version: 2, status: 'confirmed', isPending: false });
    for (const orderId of COUNTED_ORDERS) assert.equal(orders.get(orderId)?.status, 'new');
    // The listing works, although some letters have a megabyte.
    const listing = await fetch(`${stage.order.url}/dead-letters?limit=1000`, { signal: AbortSignal.timeout(10_000) });
    const listed = (await listing.json()) as { deadLetters: unknown[] };
    assert.equal(listed.deadLetters.length, before.letters + expected.length);
    stage.note(`${expected.length} dead letters, ${POISON.length - expected.length} counted`);
  },
};

export const poisonRows: readonly Fault[] = [poison];

/** The values of all dead letters, oldest first. */
const deadLetters = ({ storeDir }: Stage): (Buffer | null)[] => {
  const db = new DatabaseSync(join(storeDir, 'order_view.sqlite'), { readOnly: true, timeout: 5_000 });
  try {
    return db
      .prepare('SELECT value FROM dead_letters ORDER BY id')
      .all()
      .map(({ value }) => (value instanceof Uint8Array ? Buffer.from(value) : null));
  } finally {
    db.close();
  }
};

const equalBytes = (a: Buffer | null, b: Buffer | null): boolean =>
  // An empty value may come back as null, and a null as an empty value.
  (a ?? Buffer.alloc(0)).equals(b ?? Buffer.alloc(0));
