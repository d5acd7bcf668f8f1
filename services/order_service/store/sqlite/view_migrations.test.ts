import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { anAppliedBatch, anOrder, applyNext } from '#tests/support/events.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createSqliteConsumerDb } from './sqlite_consumer_db.ts';
import { VIEW_FILE } from './tables.ts';

test('a view of version 2 is taken over, with its orders and with the letters that it shows as redriven', async (t) => {
  const directory = tempDir();
  const letter = { topic: 'orders.events', partition: 0, offset: 0 };
  const kept = {
    ...letter,
    timestamp: 1,
    key: null,
    value: null,
    headers: [],
    reason: 'r',
    isWhole: true,
    storedAt: 1,
  };
  const redrive = { at: 2, partition: 0, offset: 9, outcome: 'applied' } as const;
  const former = createSqliteConsumerDb({ directory });
  const view = { orderId: 'ORD-1', version: 1, status: 'new', pendingSince: null } as const;
  const batch = { views: [view], orders: [anOrder('ORD-1')], deadLetters: [kept], redriven: [{ letter, ...redrive }] };
  await applyNext(former, anAppliedBatch(batch));
  await former.close();
  const db = new DatabaseSync(join(directory, VIEW_FILE));
  db.exec('ALTER TABLE dead_letters DROP COLUMN is_whole; DROP TABLE identity; PRAGMA user_version=2');
  db.close();

  const taken = createSqliteConsumerDb({ directory });
  t.after(() => taken.close());
  assert.match(taken.viewId, /^[0-9a-f]{16}$/);
  assert.equal((await taken.order('ORD-1'))?.status, 'new');
  assert.deepEqual(await taken.deadLetters(0, 10), [{ ...kept, id: 1, redrive }]);
  await applyNext(taken, anAppliedBatch({ deadLetters: [{ ...kept, isWhole: false }] }));
  assert.deepEqual(
    (await taken.deadLetters(0, 10)).map(({ isWhole }) => isWhole),
    [true, false],
  );
});
