/** `npm run faults`: breaks the running system in every row's way, under load, and checks the result. */
import { appendFileSync } from 'node:fs';
import { kafkaStarter } from '#tests/kafka/apache_kafka.ts';
import { playRow, type RowResult } from './campaign.ts';
import type { Fault } from './fault.ts';
import { HEADER, storiesOf, type TableRow, tableRow, tableText } from './report.ts';
import { readOptions } from '#tests/support/command_options.ts';
import { ROWS } from '#tests/faults/rows/index.ts';

const USAGE = `npm run faults -- [options]

  --list            list the rows, with the rounds of the full campaign
  --only NAME,...   play only these rows
  --short           a few rounds of each row
  --rounds N        this many rounds of each row
  --patience N      multiply all time limits by N, for a slow machine (default: 1)
  --seed N          decides everything that is random (default: 1)
  --out FILE        append the results to this file too`;

const values = readOptions(USAGE, {
  list: { type: 'boolean', default: false },
  only: { type: 'string' },
  short: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  patience: { type: 'string', default: '1' },
  seed: { type: 'string', default: '1' },
  out: { type: 'string' },
});

// Brokers start often and live briefly here, so the quick compiler and the simple collector are enough.
process.env['JAVA_TOOL_OPTIONS'] ??= '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

// `process.exit` runs the exit handlers, which end everything that was started; a signal alone would not.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (values.list) list();
// `process.exit`, because bytes of a broken connection in a proxy could keep this process running.
else process.exit((await run(chosenRows())) ? 0 : 1);

function list(): void {
  for (const { name, title, rounds } of ROWS)
    console.log(`${name.padEnd(32)} ${`${rounds.full}`.padStart(4)}  ${title}`);
}

function chosenRows(): readonly Fault[] {
  if (values.only === undefined) return ROWS;
  const names = values.only.split(',');
  const unknown = names.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0 || names.length === 0) stopWith(`unknown rows: ${unknown.join(', ')}; --list shows the names`);
  return ROWS.filter(({ name }) => names.includes(name));
}

/** @returns true if every row reached its end without a violation */
async function run(rows: readonly Fault[]): Promise<boolean> {
  const rounds = values.rounds === undefined ? null : wholeNumber('rounds', values.rounds);
  const seed = wholeNumber('seed', values.seed);
  // On a shared machine, late answers say little about the services; lost or doubled orders do.
  const patience = wholeNumber('patience', values.patience);
  const table: TableRow[] = [];
  let good = true;
  if (values.out !== undefined) appendFileSync(values.out, `${tableText([])}\n`);
  for (const fault of rows) {
    const planned = rounds ?? (values.short ? fault.rounds.short : fault.rounds.full);
    const reason = planned === 0 ? 'it is not part of the short campaign' : await whyNot(fault);
    if (reason !== null) {
      console.log(`${fault.name}: skipped, because ${reason}`);
      continue;
    }
    const result = await playRow(fault, {
      rounds: planned,
      short: values.short,
      seed,
      patience,
      onProgress: ({ round, requests, violations }) =>
        progress(`${fault.name}: round ${round}, ${requests} requests, ${violations} violations`),
    });
    endOfProgress();
    good &&= result.failure === null && result.violations.length === 0;
    const row = tableRow(fault.name, result);
    table.push(row);
    report(row, result);
  }
  console.log(`\n${tableText(table)}`);
  return good;
}

/** Reports each row at its end, so that an interrupted campaign keeps its results. */
function report(row: TableRow, result: RowResult): void {
  const lines = [HEADER.map((name, i) => `${name} ${row[i]}`).join(', '), ...storiesOf(result)];
  console.log(lines.join('\n'));
  if (values.out === undefined) return;
  const stories = storiesOf(result).map((story) => story.replaceAll(/^/gm, '    '));
  appendFileSync(values.out, [`| ${row.join(' | ')} |`, ...stories, ''].join('\n'));
}

async function whyNot(fault: Fault): Promise<string | null> {
  const starter = await kafkaStarter();
  if (fault.on.broker !== 'embedded' && starter.kind !== 'java') {
    if (process.env['REQUIRE_KAFKA'] === '1')
      stopWith('REQUIRE_KAFKA=1, but Kafka cannot be started from its jars: install Java 17 and Maven');
    return 'it needs Java and Maven, to start Kafka from its jars';
  }
  const reason = fault.cannotRun?.() ?? null;
  if (reason !== null && process.env['REQUIRE_PYTHON'] === '1' && reason.includes('Python')) stopWith(reason);
  return reason;
}

function progress(text: string): void {
  if (process.stdout.isTTY) process.stdout.write(`\r\u001B[K${text}`);
  else console.log(`${new Date().toISOString()} ${text}`);
}

function endOfProgress(): void {
  if (process.stdout.isTTY) process.stdout.write('\n');
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d+$/.test(text)) stopWith(`--${name} is ${JSON.stringify(text)}, but must be a whole number`);
  return Number(text);
}

function stopWith(reason: string): never {
  console.error(`${reason}\n${USAGE}`);
  process.exit(2);
}
