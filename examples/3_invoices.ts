/** Runs `3_invoices.py`, which is the example, in a virtual environment that has its packages. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPython } from '#tests/support/python.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const python = installPython(here('3_requirements.txt'), 'confluent-kafka');
const child = spawn(python, [here('3_invoices.py')], { stdio: 'inherit' });
// The terminal sends Ctrl+C to both processes: this one waits for the other.
process.on('SIGINT', () => {});
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
