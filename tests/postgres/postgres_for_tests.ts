import { after } from 'node:test';
import { postgresPrograms } from './postgres_programs.ts';
import { createDatabase, type PostgresServer, startPostgres } from './postgres_server.ts';

/** How this machine comes to a PostgreSQL for tests. */
export type PostgresAvailability =
  | { readonly kind: 'given'; readonly url: string }
  | { readonly kind: 'installed'; readonly programs: string }
  | { readonly kind: 'none'; readonly reason: string };

/** The server in `TEST_DATABASE_URL`, else one that is installed. */
export const postgresAvailability = async (): Promise<PostgresAvailability> => {
  const url = process.env['TEST_DATABASE_URL'];
  if (url) return { kind: 'given', url };
  const reason = process.env['TEST_POSTGRES_SKIP'];
  if (reason) return { kind: 'none', reason };
  const programs = await postgresPrograms();
  if (programs !== null) return { kind: 'installed', programs };
  return { kind: 'none', reason: 'no PostgreSQL 15 or newer is installed, and TEST_DATABASE_URL is not set' };
};

/** Options of node:test for what needs PostgreSQL. @throws Error if there is none and `REQUIRE_POSTGRES=1` */
const skipUnlessThere = async (): Promise<{ readonly skip: string | false }> => {
  const availability = await postgresAvailability();
  if (availability.kind !== 'none') return { skip: false };
  if (process.env['REQUIRE_POSTGRES'] === '1') throw new Error(`REQUIRE_POSTGRES=1, but ${availability.reason}`);
  console.log(`The tests on PostgreSQL are SKIPPED: ${availability.reason}`);
  return { skip: availability.reason };
};

/** The PostgreSQL that `npm test` shares, or one of its own if the file runs alone. Each database is empty at first. */
export const postgresOfFile = async () => {
  const options = await skipUnlessThere();
  let own: Promise<PostgresServer> | undefined;
  after(async () => (await own)?.stop());
  const serverUrl = async (): Promise<string> => {
    const availability = await postgresAvailability();
    if (availability.kind === 'given') return availability.url;
    if (availability.kind === 'none') throw new Error(availability.reason);
    own ??= startPostgres(availability.programs, { settings: FAST });
    return (await own).url;
  };
  return { options, newDatabase: async (): Promise<string> => createDatabase(await serverUrl()) };
};

/** A PostgreSQL that a test kills and starts again by itself. It keeps what it has committed. */
export const ownPostgres = async (): Promise<{
  readonly options: { readonly skip: string | false };
  readonly start: (settings?: Readonly<Record<string, string>>) => Promise<PostgresServer>;
}> => {
  const reason = process.env['TEST_POSTGRES_SKIP'];
  const programs = await postgresPrograms();
  const skip = reason ?? (programs === null ? 'no PostgreSQL 15 or newer is installed' : false);
  if (skip !== false && process.env['REQUIRE_POSTGRES'] === '1') throw new Error(`REQUIRE_POSTGRES=1, but ${skip}`);
  return { options: { skip }, start: (settings = {}) => startPostgres(programs ?? '', { settings }) };
};

/** For a server that no test kills: a commit need not reach the disk. */
export const FAST = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  deadlock_timeout: '100ms',
} as const;
