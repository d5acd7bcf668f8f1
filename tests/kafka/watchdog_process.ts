/**
 * Started by watchdog.ts. Standard input is a pipe from the parent, which the system closes with that process; over it
 * comes the id of the broker's process, 0 while there is none.
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
    // It ended together with the parent, as on Ctrl+C.
  }
}
