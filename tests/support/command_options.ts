import { parseArgs, type ParseArgsConfig } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/**
 * Reads the options of a command line. With `--help` it prints the usage and ends the process. If an option is unknown or
 * has a wrong value, it says so and ends the process with code 2.
 */
export const readOptions = <const T extends Options>(usage: string, options: T): Values<T> => {
  try {
    const { values } = parseArgs({ options: { ...options, help: { type: 'boolean' } } });
    if (!('help' in values)) return values;
  } catch (error) {
    const [reason] = (error instanceof Error ? error.message : String(error)).split('. ');
    console.error(`${reason}\n\n${usage}`);
    return process.exit(2);
  }
  console.log(usage);
  return process.exit(0);
};
