import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * Installs Schemathesis beside this file, once per version.
 * @returns its Python
 * @throws Error if there is no Python 3.10
 */
export const installSchemathesis = (): string => {
  const requirements = here('requirements.txt');
  const version = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const folder = here(`.venv/${version}`);
  const python = `${folder}/${process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python'}`;
  if (existsSync(python)) return python;
  const system = ['python3', 'python'].find(isRecentPython);
  if (system === undefined)
    throw new Error('Schemathesis needs Python 3.10 or newer, with venv: install python3 and python3-venv.');
  console.log('installing Schemathesis');
  try {
    execFileSync(system, ['-m', 'venv', folder], { stdio: 'inherit' });
    execFileSync(python, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements], { stdio: 'inherit' });
    return python;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
};

const isRecentPython = (command: string): boolean => {
  try {
    const check = 'import sys, venv; sys.exit(sys.version_info < (3, 10))';
    execFileSync(command, ['-c', check], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
