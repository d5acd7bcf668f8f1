import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { ConfigError } from '#service_common/config.ts';
import { reasonOf } from '#service_common/reason_of.ts';

/** Where a PostgreSQL database is, and how to get in. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string | undefined;
  /** False: without TLS. */
  readonly ssl: ConnectionOptions | false;
  /** For people: without the password. */
  readonly text: string;
}

const PORT = 5432;
const PARAMETERS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'];
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'];

/**
 * Reads the address of a database, as libpq writes it (PostgreSQL documentation, 34.1.1.2 "Connection URIs").
 * `sslmode` means what it means there: `require` encrypts and checks no certificate, unless `sslrootcert` is given.
 * @param url `postgres://user:password@host:port/database?sslmode=...`
 * @param password instead of one in the address; empty: none
 * @throws ConfigError that does not show the address, because it may hold a password
 */
export const readDatabaseAddress = (url: string, password: string): DatabaseAddress => {
  const given = parse(url);
  const { protocol, hostname, pathname, username } = given;
  if (protocol !== 'postgres:' && protocol !== 'postgresql:')
    refuse('begins with neither postgres:// nor postgresql://');
  const database = decoded(pathname.slice(1));
  if (hostname === '') refuse('has no host');
  if (username === '') refuse('has no user');
  if (database === '' || database.includes('/')) refuse('has no name of a database after the host');
  if (given.password !== '' && password !== '')
    throw new ConfigError('DATABASE_URL has a password, and DATABASE_PASSWORD is set too; give only one of them');
  const host = hostname.replace(/^\[|\]$/g, '');
  const port = Number(given.port || PORT);
  return {
    host,
    port,
    database,
    user: decoded(username),
    password: password || decoded(given.password) || undefined,
    ssl: tlsOf(host, given.searchParams),
    text: `${hostname}:${port}/${database}`,
  };
};

const parse = (url: string): URL => {
  try {
    return new URL(url);
  } catch {
    return refuse('is not an address');
  }
};

/** Undoes the escapes of an address. */
const decoded = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return refuse('has a % that begins no escape; write %25 for the character itself');
  }
};

const refuse = (problem: string): never => {
  throw new ConfigError(`DATABASE_URL ${problem}; it must look like postgres://user:password@host:5432/database`);
};

const tlsOf = (host: string, parameters: URLSearchParams): ConnectionOptions | false => {
  const unknown = [...parameters.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined)
    throw new ConfigError(`DATABASE_URL has the parameter ${unknown}; it can have ${PARAMETERS.join(', ')}`);
  const [mode, root, certificate, key] = PARAMETERS.map((name) => parameters.get(name));
  if (mode === null || mode === undefined || mode === 'disable') return false;
  if (!MODES.includes(mode)) throw new ConfigError(`DATABASE_URL has a wrong sslmode; it must be ${MODES.join(', ')}`);
  const files = {
    ...(root ? { ca: fileOf('sslrootcert', root) } : {}),
    ...(certificate ? { cert: fileOf('sslcert', certificate) } : {}),
    ...(key ? { key: fileOf('sslkey', key) } : {}),
  };
  const servername = /[a-z]/i.test(host) && !host.includes(':') ? { servername: host } : {};
  // libpq checks the chain as soon as it knows a root, and the name only if it is asked to.
  if (mode === 'require' && !root) return { ...servername, ...files, rejectUnauthorized: false };
  if (mode !== 'verify-full') return { ...servername, ...files, checkServerIdentity: () => undefined };
  return { ...servername, ...files };
};

const fileOf = (parameter: string, path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new ConfigError(`DATABASE_URL names a file for ${parameter} that cannot be read: ${reasonOf(error)}`);
  }
};
