import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const directories: string[] = [];

process.once('exit', () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** A folder of its own for a test. It goes when the test's process ends, as until then something may hold a file of it open. */
export const tempDir = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'order-events-'));
  directories.push(directory);
  return directory;
};
