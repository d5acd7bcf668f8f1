import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createSqliteConsumerDb } from './sqlite_consumer_db.ts';
import { openSqliteViewRebuild } from './sqlite_view_rebuild.ts';
import { VIEW_FILE } from './tables.ts';

const viewIdIn = async (directory: string): Promise<string> => {
  const db = createSqliteConsumerDb({ directory });
  await db.close();
  return db.viewId;
};

describe('the identity of a view', () => {
  test('stays when the view is opened again, and is the same for two processes', async () => {
    const directory = tempDir();
    const first = createSqliteConsumerDb({ directory });
    assert.match(first.viewId, /^[0-9a-f]{16}$/);
    assert.equal(await viewIdIn(directory), first.viewId);
    await first.close();
    assert.equal(await viewIdIn(directory), first.viewId);
  });

  test('is another one after the file was deleted', async () => {
    const directory = tempDir();
    const former = await viewIdIn(directory);
    for (const suffix of ['', '-wal', '-shm']) rmSync(join(directory, VIEW_FILE + suffix), { force: true });
    assert.notEqual(await viewIdIn(directory), former);
  });

  test('is another one after a rebuild', async () => {
    const directory = tempDir();
    const former = await viewIdIn(directory);
    const rebuild = openSqliteViewRebuild(directory) ?? assert.fail('under way');
    assert.equal((await rebuild.exchange()).kind, 'exchanged');
    await rebuild.close();
    assert.notEqual(await viewIdIn(directory), former);
  });
});
