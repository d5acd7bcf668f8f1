import { readFileSync } from 'node:fs';
import { arch, cpus, platform, release, totalmem } from 'node:os';
import { type Figure, isReached, type SuiteResult } from './bench.ts';
import { markdownTable } from '../tests/support/markdown_table.ts';
import { KAFKA_VERSION } from '../tests/kafka/apache_kafka.ts';

/** The results as Markdown, for files and for the terminal. */
export const reportOf = (results: ReadonlyMap<string, SuiteResult>): string =>
  [
    ...machine(),
    '## Figures',
    figuresTable([...results.values()].flatMap(({ figures }) => figures)),
    ...[...results.values()]
      .flatMap(({ tables }) => tables)
      .flatMap(({ title, columns, rows }) => [`## ${title}`, markdownTable(columns, rows)]),
  ].join('\n\n');

export const figuresTable = (figures: readonly Figure[]): string =>
  markdownTable(['', 'measured', 'range', 'target', 'reached'], figures.map(figureRow));

const machine = (): string[] => {
  const [first] = cpus();
  const { dependencies } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const libraries = ['fastify', '@platformatic/kafka'].map((name) => `${name} ${dependencies[name]}`);
  return [
    '# Results of the benchmarks',
    `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${first?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB, ${platform()} ${release()} ${arch()}; Node ${process.version}, SQLite ${process.versions.sqlite}, Apache Kafka ${KAFKA_VERSION}, ${libraries.join(', ')}. Load, Kafka and service share the machine. Each value is the median of the rounds, with its range.`,
  ];
};

const figureRow = (figure: Figure): string[] => {
  const { measure, unit, target, spread } = figure;
  const reached = isReached(figure);
  return [
    measure,
    `${withDigits(spread.median)} ${unit}`.trim(),
    `${withDigits(spread.least)} to ${withDigits(spread.most)}`,
    `${target.kind} ${target.value} ${unit}`.trim(),
    reached === null ? '' : reached ? 'yes' : 'no',
  ];
};

/** Three significant digits; NaN is a value that the system could not measure. */
const withDigits = (number: number): string =>
  Number.isNaN(number) ? 'unknown' : number.toFixed(Math.abs(number) >= 100 ? 0 : Math.abs(number) >= 10 ? 1 : 2);
