import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreError } from '#service_common/store_error.ts';
import type { Database } from './database.ts';

/**
 * The tables of one service: a schema of the database, brought up to date by numbered SQL files. Each file only adds, so
 * that the program before it goes on working beside it. A file that older programs could not work with says so in its
 * first line: `-- needs program: N`. A program whose last file has a lower number then refuses the database.
 */
export interface Migrations {
  /** The schema. It is created if it is missing. */
  readonly schema: string;
  /** The folder of the files: `0001_name.sql`, `0002_name.sql`, ... */
  readonly folder: string;
}

const FILE = /^(\d{4})_[a-z0-9_]+\.sql$/;
const NEEDS = /^-- needs program: (\d+)$/m;

interface Migration {
  readonly number: number;
  readonly sql: string;
  /** The oldest program that works with the tables after it. */
  readonly needs: number;
}

/**
 * Applies what the database does not have yet, in one transaction. Instances that start together wait for each other.
 * @returns the numbers of the files applied now
 * @throws StoreError `STORE_REFUSED` if the database belongs to a newer program; it is unchanged then
 */
export const migrate = async (database: Database, { schema, folder }: Migrations): Promise<readonly number[]> => {
  const known = readMigrations(folder);
  const newest = known.at(-1)?.number ?? 0;
  return database.transaction(async (query) => {
    // A lock of this transaction: it ends with it, also through a pooler.
    await query("SELECT pg_advisory_xact_lock(hashtext('order-events ' || $1))", [schema]);
    await query(`CREATE SCHEMA IF NOT EXISTS ${schema}`);
    await query(`CREATE TABLE IF NOT EXISTS ${schema}.migrations (
      number     integer PRIMARY KEY,
      needs      integer NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )`);
    const applied = await query(`SELECT number, needs FROM ${schema}.migrations ORDER BY number`);
    const needed = Math.max(0, ...applied.map(({ needs }) => Number(needs)));
    if (needed > newest) throw newer(database.address, schema, needed, newest);
    const done = new Set(applied.map(({ number }) => number));
    const missing = known.filter(({ number }) => !done.has(number));
    for (const { number, sql, needs } of missing) {
      await query(sql);
      await query(`INSERT INTO ${schema}.migrations (number, needs) VALUES ($1, $2)`, [number, needs]);
    }
    return missing.map(({ number }) => number);
  });
};

const newer = (address: string, schema: string, needed: number, newest: number): StoreError =>
  new StoreError(
    'STORE_REFUSED',
    `the tables ${schema} of the database ${address} need program version ${needed}, and this one is version ${newest}. Start the newer program again.`,
  );

const readMigrations = (folder: string): readonly Migration[] =>
  readdirSync(folder)
    .toSorted()
    .flatMap((name) => {
      const number = Number(FILE.exec(name)?.[1] ?? 0);
      if (number === 0) return [];
      const sql = readFileSync(join(folder, name), 'utf8');
      return [{ number, sql, needs: Number(NEEDS.exec(sql)?.[1] ?? 1) }];
    });
