import { execFile } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** Where installers put PostgreSQL: Debian and Ubuntu, Red Hat, Homebrew on both processors of a Mac, Windows. */
const INSTALLED = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
  'C:/Program Files/PostgreSQL/*/bin',
];

const OLDEST = 15;
const NEWEST_FIRST = new Intl.Collator('en', { numeric: true });
const EXE = process.platform === 'win32' ? '.exe' : '';

/** The folder with the programs of an installed PostgreSQL, the newest one; null if there is none that is new enough. */
export const postgresPrograms = async (): Promise<string | null> => {
  const onPath = (process.env['PATH'] ?? '').split(delimiter);
  const installed = INSTALLED.flatMap((pattern) => globSync(pattern)).toSorted((a, b) => NEWEST_FIRST.compare(b, a));
  for (const folder of [...installed, ...onPath]) {
    const isThere = ['initdb', 'postgres'].every((name) => existsSync(join(folder, `${name}${EXE}`)));
    if (isThere && (await majorVersion(folder)) >= OLDEST) return folder;
  }
  return null;
};

const majorVersion = async (folder: string): Promise<number> => {
  const { stdout } = await promisify(execFile)(join(folder, `postgres${EXE}`), ['--version']);
  return Number(/(\d+)/.exec(stdout)?.[1] ?? 0);
};
