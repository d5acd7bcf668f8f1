import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const isWindows = process.platform === 'win32';

/**
 * Installs the packages of the peers in `bench/`, once.
 * @returns the Python with the packages of the Python peer; null if there is no Python 3
 */
export const installPeers = (): { readonly python: string | null } => {
  if (!existsSync(here('node_modules/.package-lock.json'))) {
    console.log('installing the packages of the JavaScript peers');
    // On Windows npm is a script, which needs a shell.
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here('.'), stdio: 'inherit', shell: isWindows });
  }
  return { python: installPython() };
};

const installPython = (): string | null => {
  const installed = here(isWindows ? '.venv/Scripts/python.exe' : '.venv/bin/python');
  if (existsSync(installed)) return installed;
  const system = ['python3', 'python'].find(isPython3);
  if (system === undefined) return null;
  console.log('installing the packages of the Python peer');
  const requirements = here('peers/requirements.txt');
  try {
    execFileSync(system, ['-m', 'venv', here('.venv')], { stdio: 'inherit' });
    execFileSync(installed, ['-m', 'pip', 'install', '--quiet', '--requirement', requirements], { stdio: 'inherit' });
    return installed;
  } catch {
    rmSync(here('.venv'), { recursive: true, force: true });
    return null;
  }
};

const isPython3 = (command: string): boolean => {
  try {
    execFileSync(command, ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};
