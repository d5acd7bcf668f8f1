import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tempDir } from '#tests/support/temp_dir.ts';
import { openDatabase } from './open_database.ts';
import { commitTransaction, inTransaction } from './transactions.ts';

test('a transaction that fails leaves nothing and throws its own error, and the next one works', () => {
  const db = openDatabase({
    directory: tempDir(),
    name: 'store.sqlite',
    applicationId: 1,
    schemaVersion: 1,
    schema: 'CREATE TABLE notes (text TEXT NOT NULL)',
  });
  const insert = db.prepare('INSERT INTO notes VALUES (?)');
  const fail = (): never => {
    insert.run('half');
    throw new Error('half-way');
  };
  assert.throws(() => inTransaction(db, fail), { name: 'Error', message: 'half-way' });
  assert.throws(() => commitTransaction(db, fail), {
    name: 'StoreError',
    code: 'STORE_UNAVAILABLE',
    message: 'the store did not take a transaction: half-way',
  });
  assert.equal(
    inTransaction(db, () => insert.run('whole').changes),
    1,
  );
  assert.deepEqual(
    db
      .prepare('SELECT text FROM notes')
      .all()
      .map((row) => row['text']),
    ['whole'],
  );
  db.close();
});
