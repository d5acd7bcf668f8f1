import { parseArgs } from 'node:util';
import type { Command } from './command.ts';
import { Failure, wrongUsage } from './failures.ts';

/** Returns the values of a command's options by name, or `help`. @throws Failure that says what is wrong */
export const readArguments = (command: Command, args: readonly string[]): 'help' | Record<string, unknown> => {
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(
        Object.entries(command.options).map(([name, { placeholder }]) => [
          name,
          { type: placeholder === null ? 'boolean' : 'string' } as const,
        ]),
      ),
      help: { type: 'boolean', short: 'h' },
    },
    strict: false,
    tokens: true,
  });
  const given = new Map<string, string>();
  let asksForHelp = false;
  for (const token of tokens) {
    if (token.kind === 'positional') throw wrongUsage(unexpected(command, token.value));
    if (token.kind === 'option-terminator') continue;
    if (token.name === 'help') {
      asksForHelp = true;
      continue;
    }
    const option = Object.hasOwn(command.options, token.name) ? command.options[token.name] : undefined;
    if (option === undefined) throw wrongUsage(`unknown option ${token.rawName}`);
    if (option.placeholder === null && token.value !== undefined)
      throw wrongUsage(`${token.rawName} takes no value, but was given ${JSON.stringify(token.value)}`);
    if (option.placeholder !== null && (token.value === undefined || isForgotten(token.value, token.inlineValue)))
      throw wrongUsage(`${token.rawName} needs a value: ${token.rawName} ${option.placeholder}`);
    if (given.has(token.name)) throw wrongUsage(`${token.rawName} is given twice`);
    given.set(token.name, token.value ?? '');
  }
  if (asksForHelp) return 'help';
  return Object.fromEntries(
    Object.entries(command.options).map(([name, option]) => [name, named(name, () => option.read(given.get(name)))]),
  );
};

/** In `--rate --seed 1` the value of `--rate` is missing. In `--rate=--seed` it is `--seed`. */
const isForgotten = (value: string, isInline: boolean | undefined): boolean => !isInline && value.startsWith('--');

/** npm keeps the options before its `--` for itself, so only their values arrive here. */
const unexpected = ({ name }: Command, value: string): string =>
  `unexpected argument ${JSON.stringify(value)}; with npm, write options after two dashes: npm run ${name} -- --help`;

const named = <T>(name: string, read: () => T): T => {
  try {
    return read();
  } catch (error) {
    if (error instanceof Failure)
      throw new Failure(
        error.exitCode,
        error.message.replace('{name}', () => name),
      );
    throw error;
  }
};
