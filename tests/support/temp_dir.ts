import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directories: string[] = [];

process.once('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

/**
 * Makes a folder for a test. It is deleted when the test's process ends: before, one of its files may still be open.
 */
export const tempDir = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'order-events-'));
  directories.push(directory);
  return directory;
};
