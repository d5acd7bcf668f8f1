/** `npm run bench`: measures the system and its alternatives, and compares the results with the targets. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { kafkaAvailability, startKafka } from '../tests/kafka/apache_kafka.ts';
import { type Bench, FULL, SMOKE, type Suite, type SuiteResult } from './bench.ts';
import { drawCurves } from './draw.ts';
import { installPeers } from './install_peers.ts';
import { startLoadGenerator } from './load.ts';
import { figuresTable, reportOf } from './report.ts';
import { apply } from './suites/apply.ts';
import { create } from './suites/create.ts';
import { growth } from './suites/growth.ts';
import { latency } from './suites/latency.ts';
import { memory } from './suites/memory.ts';
import { read } from './suites/read.ts';
import { restart } from './suites/restart.ts';

const SUITES: Readonly<Record<string, Suite>> = { create, read, apply, latency, restart, memory, growth };
const USAGE = `npm run bench -- [${Object.keys(SUITES).join('|')} ...] [--smoke]

Runs the named suites, or all of them.

  --smoke  a short run that only shows whether everything works; its figures mean nothing

A run of all suites writes bench/results.md. The suite growth writes its curves to docs/performance/.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { smoke: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
});
const unknown = positionals.filter((name) => !(name in SUITES));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`unknown suites: ${unknown.join(', ')}`);
  console.log(USAGE);
  process.exit(values.help ? 0 : 2);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const chosen = Object.entries(SUITES).filter(([name]) => positionals.length === 0 || positionals.includes(name));
const results = await runSuites(chosen);
if (chosen.length === Object.keys(SUITES).length && !values.smoke) {
  writeFileSync(new URL('results.md', import.meta.url), `${reportOf(results)}\n`);
}
process.exit(0);

async function runSuites(suites: readonly (readonly [string, Suite])[]): Promise<ReadonlyMap<string, SuiteResult>> {
  const available = await kafkaAvailability();
  if (available.kind === 'none') {
    console.error(`the benchmarks need Apache Kafka, but ${available.reason}`);
    process.exit(1);
  }
  const { python } = installPeers();
  console.log(`starting Kafka${python === null ? '; without the Python peer, because there is no Python 3' : ''}`);
  const own = available.kind === 'given' ? null : await startKafka();
  const load = startLoadGenerator();
  const done = new Map<string, SuiteResult>();
  try {
    for (const [name, suite] of suites) {
      const started = performance.now();
      const bench: Bench = {
        scale: values.smoke ? SMOKE : FULL,
        load,
        kafka: own ?? {
          bootstrapServers: (available as { bootstrapServers: string }).bootstrapServers,
          pid: undefined,
        },
        python,
        progress: (text) => progress(`${name}: ${text}`),
      };
      const result = await suite(bench);
      if (!values.smoke)
        await drawCurves(fileURLToPath(new URL('../docs/performance', import.meta.url)), result.curves ?? []);
      progress(`${name}: took ${Math.round((performance.now() - started) / 1_000)} s\n`);
      console.log(`\n${figuresTable(result.figures)}\n`);
      done.set(name, result);
    }
  } finally {
    load.close();
    await own?.stop();
  }
  console.log(reportOf(done));
  return done;
}

function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${text}`);
  else console.log(text);
}
