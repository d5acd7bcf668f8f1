import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Installs Python packages into a virtual environment beside their requirements file, once for each content of it.
 * @param requirements path of a file in the format of pip
 * @param what the name of the packages, for people
 * @returns the path of the Python that has the packages
 * @throws if there is no Python 3.10 with venv, or pip cannot install the packages
 */
export const installPython = (requirements: string, what: string): string => {
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = join(dirname(requirements), '.venv', version);
  const python = join(folder, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  if (existsSync(python)) return python;
  const system = systemPython();
  if (system === undefined) throw new Error(`${what} needs ${NEEDED}`);
  console.log(`installing ${what}`);
  try {
    execFileSync(system, ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements], { stdio: 'inherit' });
    return python;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
};

const NEEDED = 'Python 3.10 or newer, with venv: install python3 and python3-venv.';

/** Why `installPython` cannot install anything here; null if it can. */
export const whyNoPython = (): string | null => (systemPython() === undefined ? `it needs ${NEEDED}` : null);

const systemPython = (): string | undefined => ['python3', 'python'].find(isRecentPython);

const isRecentPython = (command: string): boolean => {
  try {
    const check = 'import sys, venv; sys.exit(sys.version_info < (3, 10))';
    execFileSync(command, ['-c', check], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
