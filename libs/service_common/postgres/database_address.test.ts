import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '#tests/support/temp_dir.ts';
import { readDatabaseAddress } from './database_address.ts';

test('an address is read with its escapes, and shown without its password', () => {
  assert.deepEqual(readDatabaseAddress('postgres://or%40der:s%2Fecret@db.example:6000/order%20events', ''), {
    host: 'db.example',
    port: 6000,
    database: 'order events',
    user: 'or@der',
    password: 's/ecret',
    ssl: false,
    text: 'db.example:6000/order events',
  });
  const { host, port, password } = readDatabaseAddress('postgresql://me@[::1]/orders', 'given');
  assert.deepEqual([host, port, password], ['::1', 5432, 'given']);
});

const ssl = (parameters: string) => {
  const read = readDatabaseAddress(`postgres://me@db.example/orders?${parameters}`, '').ssl;
  return read === false
    ? 'plain'
    : {
        checksChain: read.rejectUnauthorized !== false,
        checksName: read.rejectUnauthorized !== false && read.checkServerIdentity === undefined,
        hasRoot: read.ca !== undefined,
      };
};

test('sslmode means what it means for libpq', () => {
  const root = join(tempDir(), 'root.pem');
  writeFileSync(root, 'a certificate');
  assert.equal(ssl('sslmode=disable'), 'plain');
  assert.deepEqual(ssl('sslmode=require'), { checksChain: false, checksName: false, hasRoot: false });
  const withRoot = `sslrootcert=${encodeURIComponent(root)}`;
  assert.deepEqual(ssl(`sslmode=require&${withRoot}`), { checksChain: true, checksName: false, hasRoot: true });
  assert.deepEqual(ssl(`sslmode=verify-ca&${withRoot}`), { checksChain: true, checksName: false, hasRoot: true });
  assert.deepEqual(ssl('sslmode=verify-full'), { checksChain: true, checksName: true, hasRoot: false });
});

for (const [problem, url, password, message] of [
  ['is none', 'db.example', '', /is not an address/],
  ['is of another kind of database', 'mysql://me:secret@db/orders', '', /begins with neither postgres:/],
  ['has no user', 'postgres://db/orders', '', /has no user/],
  ['has no database', 'postgres://me:secret@db', '', /has no name of a database/],
  ['has a % that begins no escape', 'postgres://me:100%secret@db/orders', '', /%25/],
  ['has a password beside the given one', 'postgres://me:secret@db/orders', 'other', /only one of them/],
  ['has a parameter that is not read', 'postgres://me:secret@db/orders?target_session_attrs=any', '', /target_session/],
  ['has a wrong sslmode', 'postgres://me:secret@db/orders?sslmode=always', '', /wrong sslmode/],
  [
    'names a file that is not there',
    'postgres://me:secret@db/o?sslmode=require&sslrootcert=/no/such',
    '',
    /sslrootcert/,
  ],
] as const) {
  test(`an address that ${problem} is refused, and its password is not shown`, () => {
    assert.throws(
      () => readDatabaseAddress(url, password),
      (error: Error) => {
        assert.equal(error.constructor.name, 'ConfigError');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret|other/);
        return true;
      },
    );
  });
}
