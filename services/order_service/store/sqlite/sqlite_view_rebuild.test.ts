import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { ConsumerDb, ViewWriter } from '#order_service/consumer_db.ts';
import type { ViewRebuild } from '#order_service/store/view_rebuild.ts';
import { anAppliedBatch, anOrder, applyNext } from '#tests/support/events.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { openSqliteView } from './sqlite_view.ts';
import { openSqliteViewRebuild } from './sqlite_view_rebuild.ts';
import { VIEW_FILE } from './tables.ts';
import { FORMER_FILE, REBUILT_FILE } from './view_files.ts';

const putOrder = (db: ViewWriter, orderId: string): Promise<void> => {
  const view = { orderId, version: 1, status: 'new', pendingSince: null } as const;
  return applyNext(db, anAppliedBatch({ views: [view], orders: [anOrder(orderId)] }));
};

const openView = (directory: string): ConsumerDb => openSqliteView({ directory, logger: createTestLog().logger });

const openRebuild = (directory: string): ViewRebuild => openSqliteViewRebuild(directory) ?? assert.fail('under way');

const idsOf = async (db: ConsumerDb): Promise<string[]> => (await Array.fromAsync(db.orderIds())).flat();

describe('a rebuild of the view', () => {
  test('gives both views at one moment, while a service goes on', async () => {
    const directory = tempDir();
    const service = openView(directory);
    await putOrder(service, 'ORD-1');
    const rebuild = openRebuild(directory);
    await putOrder(rebuild.db, 'ORD-2');
    const [live, rebuilt] = [rebuild.openLive(), rebuild.openRebuilt()];
    await putOrder(service, 'ORD-3');
    assert.deepEqual(
      [live, rebuilt].map((snapshot) => Array.from(snapshot?.orders() ?? [], ({ orderId }) => orderId)),
      [['ORD-1'], ['ORD-2']],
    );
    live?.close();
    rebuilt.close();
    await rebuild.close();
    await service.close();
  });

  test('that is closed without an exchange leaves the live view, and no file but its lock', async () => {
    const directory = tempDir();
    const rebuild = openRebuild(directory);
    assert.equal(rebuild.openLive(), null);
    await putOrder(rebuild.db, 'ORD-2');
    await rebuild.close();
    assert.deepEqual(readdirSync(directory), ['order_view.rebuilding.lock']);
  });

  test('exchanges the views if no service uses the live one, and keeps the former', async () => {
    const directory = tempDir();
    const service = openView(directory);
    await putOrder(service, 'ORD-1');
    await service.close();
    const rebuild = openRebuild(directory);
    await putOrder(rebuild.db, 'ORD-2');
    assert.deepEqual(await rebuild.exchange(), { kind: 'exchanged', former: join(directory, FORMER_FILE) });
    await rebuild.close();
    const again = openView(directory);
    assert.deepEqual(await idsOf(again), ['ORD-2']);
    await again.close();
  });

  test('without a live view has no former one', async () => {
    const directory = tempDir();
    const rebuild = openRebuild(directory);
    assert.deepEqual(await rebuild.exchange(), { kind: 'exchanged', former: null });
    await rebuild.close();
  });

  test('is postponed while a service uses the live view, and taken up by the next start', async () => {
    const directory = tempDir();
    const service = openView(directory);
    const rebuild = openRebuild(directory);
    await putOrder(rebuild.db, 'ORD-2');
    assert.deepEqual(await rebuild.exchange(), { kind: 'postponed', rebuilt: join(directory, REBUILT_FILE) });
    await rebuild.close();
    assert.deepEqual(await idsOf(service), []);
    await service.close();
    const again = openView(directory);
    assert.deepEqual(await idsOf(again), ['ORD-2']);
    await again.close();
  });

  test('is alone in its folder, and removes what a killed one has left', async () => {
    const directory = tempDir();
    const rebuild = openRebuild(directory);
    assert.equal(openSqliteViewRebuild(directory), null);
    await putOrder(rebuild.db, 'ORD-1');
    await rebuild.close();
    const next = openRebuild(directory);
    assert.equal((await next.db.counts()).orders, 0);
    await next.close();
  });

  test('of a live view that is not a database says so when it is opened', async () => {
    const directory = tempDir();
    const path = join(directory, VIEW_FILE);
    writeFileSync(path, 'not a database, and long enough to be looked at as one '.repeat(100));
    const rebuild = openRebuild(directory);
    assert.throws(() => rebuild.openLive(), { code: 'STORE_UNAVAILABLE', message: /not a database/ });
    await rebuild.close();
    assert.match(readFileSync(path, 'utf8'), /^not a database/);
    assert.ok(!existsSync(join(directory, 'order_view.rebuilding')));
  });
});
