/**
 * Started by watchdog.ts. Standard input is a pipe from the parent, which the system closes when the parent ends. Its
 * lines are the id of the process to kill then; 0 for none.
 */
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { container: { type: 'string' }, folder: { type: 'string' } } });

let pid = 0;
createInterface({ input: process.stdin })
  .on('line', (line) => (pid = Number(line)))
  .on('close', () => {
    if (pid) killIfAlive(pid);
    if (values.container) execFileSync('docker', ['rm', '--force', '--volumes', values.container]);
    if (values.folder) rmSync(values.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  });

function killIfAlive(id: number): void {
  try {
    process.kill(id, 'SIGKILL');
  } catch {
    // It has already ended, as on Ctrl+C, which ends both.
  }
}
