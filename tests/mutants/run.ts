/** `npm run mutants`: puts small faults into the files that decide, one at a time. A test must fail for each. */
import { execFileSync } from 'node:child_process';
import { readOptions } from '#tests/support/command_options.ts';
import { DECIDING_FILES } from './deciding_files.ts';
import { type FileResult, judgeFile } from './judge_file.ts';

const USAGE = `npm run mutants -- [options]

Changes the files that decide, one small change at a time, and runs their tests. A change that no test notices survives.
The files and their tests are in tests/mutants/deciding_files.ts.

  --since REF   only the files that were changed since the branch left this commit or branch, or whose tests were
  --only TEXT   only the files whose path contains this text
  --minutes N   judge no more mutants after this time, and say what is left (default: no limit)`;

/** The least share of mutants that the tests must notice, in percent. */
const LEAST_SCORE = 90;
const SHOWN_LENGTH = 60;

const scoreOf = ({ judged, survivors }: FileResult): number =>
  judged === 0 ? 100 : (100 * (judged - survivors.length)) / judged;

const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > SHOWN_LENGTH ? `${line.slice(0, SHOWN_LENGTH - 1)}…` : line;
};

const show = (result: FileResult): void => {
  const { file, judged, count, survivors } = result;
  const left = judged === count ? '' : `, ${count - judged} left out`;
  console.log(`${Math.floor(scoreOf(result))} %  ${file}  ${judged - survivors.length} of ${judged}${left}`);
  for (const { place, original, replacement } of survivors) {
    console.log(`  ${place}  ${oneLine(original)}  =>  ${oneLine(replacement)}`);
  }
};

const git = (...command: readonly string[]): string => execFileSync('git', command, { encoding: 'utf8' }).trim();

const changedSince = (ref: string): ReadonlySet<string> =>
  new Set(git('diff', '--name-only', git('merge-base', ref, 'HEAD')).split('\n'));

const {
  since,
  only = '',
  minutes = 'Infinity',
} = readOptions(USAGE, { since: { type: 'string' }, only: { type: 'string' }, minutes: { type: 'string' } });
if (!(Number(minutes) > 0)) {
  console.error(`--minutes is ${JSON.stringify(minutes)}, but must be a number above 0\n\n${USAGE}`);
  process.exit(2);
}
const changed = since === undefined ? null : changedSince(since);
const asked = Object.entries(DECIDING_FILES).filter(
  ([file, tests]) => file.includes(only) && (changed === null || [file, ...tests].some((path) => changed.has(path))),
);

const started = performance.now();
const results: FileResult[] = [];
for (const [file, tests] of asked) {
  const result = await judgeFile(file, tests, started + Number(minutes) * 60_000);
  show(result);
  results.push(result);
}
const low = results.filter((result) => scoreOf(result) < LEAST_SCORE);
const seconds = ((performance.now() - started) / 1_000).toFixed(0);
console.log(`${results.length} files in ${seconds} s, ${low.length} below ${LEAST_SCORE} %`);
if (low.length > 0) console.log('State the rule that each survivor breaks in a unit test, or remove the code.');
process.exitCode = low.length === 0 ? 0 : 1;
