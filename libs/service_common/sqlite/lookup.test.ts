import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { prepareLookup } from './lookup.ts';

test('a look-up returns the rows of all keys, however many there are, and nothing for unknown keys', () => {
  const db = new DatabaseSync(':memory:');
  db.exec('CREATE TABLE notes (key TEXT PRIMARY KEY)');
  const keys = Array.from({ length: 40 }, (_, n) => `key ${n}`);
  for (const key of keys) db.prepare('INSERT INTO notes VALUES (?)').run(key);
  const lookUp = prepareLookup(db, (texts) => `SELECT key FROM notes WHERE key IN (${texts})`);
  for (const asked of [[], keys.slice(0, 1), keys.slice(0, 16), keys.slice(0, 17), keys]) {
    const found = lookUp(['unknown', ...asked]).map((row) => String(row['key']));
    assert.deepEqual(found.toSorted(), asked.toSorted());
  }
  db.close();
});
