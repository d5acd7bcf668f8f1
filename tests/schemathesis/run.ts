/** `npm run schemathesis`: tests both services, on the embedded broker, against their OpenAPI documents. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ServiceProcess, startService } from '#tests/e2e/service_process.ts';
import { readOptions } from '#tests/support/command_options.ts';
import { installPython } from '#tests/support/python.ts';
import { publishScene } from './scene.ts';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const USAGE = `npm run schemathesis -- [options]

  --examples N   generated examples of each operation (default: 30)
  --seed N       decides everything that is random (default: 1)`;

const values = readOptions(USAGE, {
  examples: { type: 'string', default: '30' },
  seed: { type: 'string', default: '1' },
});

interface Report {
  readonly operations: { readonly tested: number; readonly total: number };
  readonly test_cases: { readonly generated: number; readonly unique_failures: number };
}

const python = installPython(here('requirements.txt'), 'Schemathesis');
const directory = await mkdtemp(join(tmpdir(), 'schemathesis-'));
const services: ServiceProcess[] = [];
try {
  for (const name of ['cart_service', 'order_service'] as const) {
    services.push(await startService(name, { DATA_DIR: directory }));
  }
  await publishScene(join(directory, 'embedded'));
  const results: string[] = [];
  for (const { url } of services) results.push(await examine(url));
  console.log(results.join('\n'));
} finally {
  await Promise.all(services.map((service) => service.stop()));
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
}

async function examine(url: string): Promise<string> {
  const report = join(directory, 'report.json');
  await rm(report, { force: true });
  const args = ['-m', 'schemathesis.cli', '--config-file', here('schemathesis.toml'), 'run']
    .concat([`${url}/documentation/json`, '--url', url, '--checks', 'all', '--no-color'])
    .concat(['--seed', values.seed, '--max-examples', values.examples])
    .concat(['--report', 'json', '--report-json-path', report]);
  const child = spawn(python, args, {
    // The files that it leaves are deleted with this folder.
    cwd: directory,
    stdio: 'inherit',
    env: { ...process.env, SCHEMATHESIS_HOOKS: here('hooks.py'), PYTHONDONTWRITEBYTECODE: '1', PYTHONUTF8: '1' },
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) process.exitCode = 1;
  const { operations, test_cases } = JSON.parse(await readFile(report, 'utf8')) as Report;
  return `${url}: ${operations.tested} of ${operations.total} operations, ${test_cases.generated} cases, ${test_cases.unique_failures} failures`;
}
