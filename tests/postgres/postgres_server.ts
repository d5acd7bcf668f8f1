/** A real PostgreSQL for tests, from the programs that are installed. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chownSync } from 'node:fs';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { startWatchdog } from '#tests/kafka/watchdog.ts';

const run = promisify(execFile);

const START_MS = 60_000;
const POLL_MS = 20;
const STOP_MS = 10_000;
const USER = 'postgres';

export interface PostgresServer {
  /** Of the database `postgres`, for the superuser. */
  readonly url: string;
  readonly port: number;
  readonly folder: string;
  /** The id of the server's first process, which ends the others. */
  readonly pid: number | undefined;
  /** Ends the server and deletes its data. */
  stop(): Promise<void>;
  /** `kill -9`; returns when the process has ended. */
  kill(): Promise<void>;
  /** Starts the server again with the same data and port; returns when it answers. */
  start(): Promise<void>;
}

export interface PostgresOptions {
  /** Settings of `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** @param programs the folder of `initdb` and `postgres` */
export const startPostgres = async (programs: string, options: PostgresOptions = {}): Promise<PostgresServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'order-events-postgres-'));
  const owner = await ownerOfServer();
  if (owner !== null) chownSync(folder, owner.uid, owner.gid);
  const watchdog = startWatchdog({ folder });
  const data = join(folder, 'data');
  await run(
    join(programs, 'initdb'),
    ['-D', data, '-U', USER, '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    { ...owner },
  );
  const [port = 0] = await freePorts(1);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    ...options.settings,
  };
  const args = ['-D', data, '-p', String(port), ...Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])];
  const url = `postgres://${USER}@127.0.0.1:${port}/postgres`;
  const logFile = join(folder, 'server.log');
  let server: ChildProcess | undefined;
  let exited: Promise<unknown> = Promise.resolve();

  const start = async (): Promise<void> => {
    const log = await open(logFile, 'a');
    const child = spawn(join(programs, 'postgres'), args, {
      stdio: ['ignore', log.fd, log.fd],
      windowsHide: true,
      cwd: folder,
      ...owner,
    });
    server = child;
    exited = once(child, 'exit');
    watchdog.watch(child.pid ?? 0);
    await log.close();
    const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
    await untilAnswering(url, hasEnded, async () =>
      (await readFile(logFile, 'utf8')).split('\n').slice(-20).join('\n'),
    );
  };

  const end = async (signal: NodeJS.Signals): Promise<void> => {
    server?.kill(signal);
    await Promise.race([exited, sleep(STOP_MS, undefined, { ref: false })]);
  };

  await start();
  return {
    url,
    port,
    folder,
    get pid() {
      return server?.pid;
    },
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      // A fast shutdown: it does not wait for the clients.
      await end('SIGINT');
      await end('SIGKILL');
      watchdog.watch(0);
      await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
      watchdog.end();
    },
  };
};

/** PostgreSQL refuses to run as root. Debian's package makes a user for it. */
const ownerOfServer = async (): Promise<{ uid: number; gid: number } | null> => {
  if (process.getuid?.() !== 0) return null;
  return { uid: await idOf('-u'), gid: await idOf('-g') };
};

const idOf = async (flag: '-u' | '-g'): Promise<number> => Number((await run('id', [flag, USER])).stdout);

const untilAnswering = async (url: string, hasEnded: () => boolean, endOfLog: () => Promise<string>): Promise<void> => {
  const deadline = performance.now() + START_MS;
  for (;;) {
    try {
      const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      if (hasEnded() || performance.now() > deadline)
        throw new Error(`PostgreSQL did not start:\n${await endOfLog()}`, { cause: error });
      await sleep(POLL_MS);
    }
  }
};

/** Makes an empty database on a server. @returns its address */
export const createDatabase = async (serverUrl: string): Promise<string> => {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
};
