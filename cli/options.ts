import type { Option } from './command.ts';
import { wrongUsage } from './failures.ts';

/** The kinds of options. In a message, the parser replaces `{name}` with the option's name. */

export const flag = (description: string): Option<boolean> => ({
  placeholder: null,
  description,
  read: (text) => text !== undefined,
});

export const text = (placeholder: string, description: string): Option<string | undefined> => ({
  placeholder,
  description,
  read: (given) => (given === '' ? refuse(given, 'not be empty') : given),
});

export const oneOf = <const T extends string>(allowed: readonly T[], initial: T, description: string): Option<T> => ({
  placeholder: allowed.join('|'),
  description: `${description} (default: ${initial})`,
  read: (given = initial) => allowed.find((value) => value === given) ?? refuse(given, `be ${allowed.join(' or ')}`),
});

const numberIn = (given: string, pattern: RegExp, kind: string, minimum: number, maximum: number): number => {
  const value = pattern.test(given) ? Number(given) : Number.NaN;
  return value >= minimum && value <= maximum ? value : refuse(given, `be a ${kind} from ${minimum} to ${maximum}`);
};

/** @param initial the value if the option is not given; `--help` shows it */
export const count = (minimum: number, maximum: number, initial: number, description: string): Option<number> => ({
  placeholder: 'N',
  description: `${description} (default: ${initial})`,
  read: (given = String(initial)) => numberIn(given, /^\d{1,15}$/, 'whole number', minimum, maximum),
});

export const optionalCount = (minimum: number, maximum: number, description: string): Option<number | undefined> => ({
  placeholder: 'N',
  description,
  read: (given) => (given === undefined ? undefined : numberIn(given, /^\d{1,15}$/, 'whole number', minimum, maximum)),
});

export const decimal = (minimum: number, maximum: number, initial: number, description: string): Option<number> => ({
  placeholder: 'N',
  description: `${description} (default: ${initial})`,
  read: (given = String(initial)) => numberIn(given, /^\d{1,9}(\.\d{1,9})?$/, 'number', minimum, maximum),
});

/** The address of a service. By default it is on this machine, at the port that the service's setting names. */
export const serviceUrl = (service: string, portSetting: string, port: number): Option<string> => ({
  placeholder: 'URL',
  description: `address of the ${service} (default: http://localhost:${port}, or the port in ${portSetting})`,
  read: (given) => {
    const url = given ?? `http://localhost:${process.env[portSetting]?.trim() || port}`;
    const parsed = URL.parse(url);
    if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.hash !== '') {
      return refuse(url, `be an address such as http://localhost:${port}`);
    }
    return url.replace(/\/+$/, '');
  },
});

export const refuse = (given: string, allowed: string): never => {
  throw wrongUsage(`--{name} is ${JSON.stringify(given)}, but must ${allowed}`);
};
