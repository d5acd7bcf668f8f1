/** `npm run faults`: breaks the running system in every way the rows know, under load, and judges what came of it. */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { kafkaStarter } from '#tests/kafka/apache_kafka.ts';
import { playRow, type RowResult } from './campaign.ts';
import type { Fault } from './fault.ts';
import { HEADER, storiesOf, type TableRow, tableRow, tableText } from './report.ts';
import { ROWS } from '#tests/faults/rows/index.ts';

const USAGE = `npm run faults -- [--list] [--only NAME[,NAME]] [--short] [--rounds N] [--patience N] [--seed N] [--out FILE]`;

const { values } = parseArgs({
  options: {
    list: { type: 'boolean', default: false },
    only: { type: 'string' },
    short: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    patience: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string' },
  },
});

// Brokers are started again and again on a machine that has more to do: compiled quickly rather than well.
process.env['JAVA_TOOL_OPTIONS'] ??= '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC';

// What is running ends with this process, which a signal alone would not let clean up.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

if (values.list) list();
// At once: what a broken connection has left in a proxy must not hold up the end.
else process.exit((await run(chosenRows())) ? 0 : 1);

function list(): void {
  for (const { name, title, rounds } of ROWS)
    console.log(`${name.padEnd(32)} ${`${rounds.full}`.padStart(4)}  ${title}`);
}

function chosenRows(): readonly Fault[] {
  if (values.only === undefined) return ROWS;
  const names = values.only.split(',');
  const unknown = names.filter((name) => !ROWS.some((row) => row.name === name));
  if (unknown.length > 0 || names.length === 0) stopWith(`no row is named ${unknown.join(', ')}; --list names them`);
  return ROWS.filter(({ name }) => names.includes(name));
}

/** @returns whether every row came to its end without a violation */
async function run(rows: readonly Fault[]): Promise<boolean> {
  const rounds = values.rounds === undefined ? null : wholeNumber('rounds', values.rounds);
  const seed = wholeNumber('seed', values.seed);
  // On a machine that is shared, lateness says more of the others than of the services: what is lost or doubled does not.
  const patience = wholeNumber('patience', values.patience);
  const table: TableRow[] = [];
  let good = true;
  if (values.out !== undefined) appendFileSync(values.out, `${tableText([])}\n`);
  for (const fault of rows) {
    const planned = rounds ?? (values.short ? fault.rounds.short : fault.rounds.full);
    const reason = planned === 0 ? 'it is not of the short campaign' : await whyNot(fault);
    if (reason !== null) {
      console.log(`${fault.name}: skipped, as ${reason}`);
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
    tell(row, result);
  }
  console.log(`\n${tableText(table)}`);
  return good;
}

/** As soon as a row is over: an interrupted campaign keeps what it has. */
function tell(row: TableRow, result: RowResult): void {
  const lines = [HEADER.map((name, i) => `${name} ${row[i]}`).join(', '), ...storiesOf(result)];
  console.log(lines.join('\n'));
  if (values.out === undefined) return;
  const stories = storiesOf(result).map((story) => story.replaceAll(/^/gm, '    '));
  appendFileSync(values.out, [`| ${row.join(' | ')} |`, ...stories, ''].join('\n'));
}

async function whyNot(fault: Fault): Promise<string | null> {
  const starter = await kafkaStarter();
  if (fault.on.broker !== 'embedded' && starter.kind !== 'java') {
    if (process.env['REQUIRE_KAFKA'] === '1') stopWith('REQUIRE_KAFKA=1, but Kafka cannot be run from its jars');
    return 'Kafka is run from its jars, by Java';
  }
  return fault.cannotRun?.() ?? null;
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
