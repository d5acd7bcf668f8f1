import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readConfig } from '#kafka_common/config.ts';
import { openViewRebuild } from './consumer_db_factory.ts';

test('a rebuild of a view in PostgreSQL is refused, with what to do instead', async () => {
  const config = readConfig({ DATABASE_URL: 'postgres://me:secret@localhost/orders' });
  await assert.rejects(openViewRebuild(config), {
    code: 'STORE_REFUSED',
    message: /^DATABASE_URL is set, and rebuild works on SQLite views only\. .*TRUNCATE order_service/,
  });
});
