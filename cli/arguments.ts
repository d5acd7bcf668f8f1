import { parseArgs } from 'node:util';
import type { Command } from './command.ts';
import { Failure, wrongUsage } from './failures.ts';

/** The values of a command's options by name, or `help`. @throws Failure with what is wrong */
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
    if (option === undefined) throw wrongUsage(`there is no option ${token.rawName}`);
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

/** `--rate --seed 1`: the next option is hardly the value. `--rate=--seed` is. */
const isForgotten = (value: string, isInline: boolean | undefined): boolean => !isInline && value.startsWith('--');

/** npm takes the options before its `--` for its own, and only their values arrive. */
const unexpected = ({ name }: Command, value: string): string =>
  `there is no argument ${JSON.stringify(value)}; with npm, options come after two dashes: npm run ${name} -- --help`;

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
