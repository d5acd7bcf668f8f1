import type { Command } from './command.ts';

/** The text of `--help`, on the terminal and in `docs/cli.md`. */
export const helpOf = ({ name, summary, details, options, found, examples }: Command): string => {
  const rows: (readonly [string, string])[] = [
    ...Object.entries(options).map(
      ([option, { placeholder, description }]) =>
        [`--${option}${placeholder === null ? '' : ` ${placeholder}`}`, description] as const,
    ),
    ['--help', 'show this text'],
  ];
  return [
    summary,
    `Usage: npm run ${name} -- [options]`,
    details,
    `Options:\n${table(rows)}`,
    `Exit codes:\n${table([
      ['0', 'done'],
      ['1', found],
      ['2', 'wrong options or settings'],
      ['3', 'the service or the broker cannot be reached'],
      ['130', 'interrupted (Ctrl+C)'],
    ])}`,
    `Examples:\n${examples.map(([args, what]) => `  ${`npm run ${name} ${args}`.trimEnd()}\n      ${what}`).join('\n')}`,
  ].join('\n\n');
};

const WIDTH = 100;

const table = (rows: readonly (readonly [string, string])[]): string => {
  const left = Math.max(...rows.map(([term]) => term.length)) + 4;
  return rows
    .flatMap(([term, description]) => wrapped(description, WIDTH - left).map((line, n) => [n === 0 ? term : '', line]))
    .map(([term = '', line]) => `  ${term.padEnd(left - 2)}${line}`)
    .join('\n');
};

const wrapped = (text: string, width: number): string[] => {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
};
