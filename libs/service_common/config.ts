import { readFileSync } from 'node:fs';
import { envSchema } from 'env-schema';
import Type, { type Static, type TSchema } from 'typebox';

/** The variables of a process, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** One setting: how it is read from the environment, and what the documentation says about it. */
export interface Setting {
  /** The environment variable. */
  readonly name: string;
  readonly schema: TSchema;
  /** Completes the sentence "X must be ...". */
  readonly allowed: string;
  readonly description: string;
  /**
   * The value is never shown: not to operators, not in an error. It may also come from a file that the variable with
   * `_FILE` behind its name points to.
   */
  readonly secret: boolean;
}

/** Settings by the field of the config that holds their value. */
export type SettingTable = Readonly<Record<string, Setting>>;

export type SettingValues<T extends SettingTable> = { readonly [Field in keyof T]: Static<T[Field]['schema']> };

/** A setting of a running service, as operators see it. */
export interface SettingInForce {
  readonly name: string;
  /** `(set)` or `(not set)` for a secret. */
  readonly value: string;
  /** Not set in the environment. */
  readonly isDefault: boolean;
}

/** A wrong setting. Each line of the message names the variable, its value (unless secret) and what is allowed. */
export class ConfigError extends Error {}

/**
 * Reads the settings of a table. A variable that is set but empty counts as not set, because Compose files pass it on
 * like that. Blanks around a value are removed, because `set X=1 && npm start` leaves one on Windows.
 * @throws ConfigError
 */
export const readSettings = <T extends SettingTable>(
  table: T,
  environment: Environment,
): { readonly values: SettingValues<T>; readonly inForce: readonly SettingInForce[] } => {
  const rows = Object.entries(table);
  const given = new Map(rows.map(([field, setting]) => [field, textOf(setting, environment)]));
  const values = parse(table, given);
  const inForce = rows.map(([field, { name, secret }]) => {
    const isDefault = given.get(field) === '';
    const value = secret ? (isDefault ? '(not set)' : '(set)') : String(values[field]);
    return { name, value, isDefault };
  });
  return { values, inForce };
};

/** The text of a setting; empty if it is not set. */
const textOf = ({ name, secret }: Setting, environment: Environment): string => {
  const text = environment[name]?.trim() ?? '';
  const fileVariable = `${name}_FILE`;
  const path = secret ? (environment[fileVariable]?.trim() ?? '') : '';
  if (path === '') return text;
  if (text !== '') throw new ConfigError(`${name} and ${fileVariable} are both set; set only one of them`);
  const content = readSecret(fileVariable, path).replace(/\r?\n$/, '');
  // An empty file is a mistake: the service must not run without the secret that somebody wanted to give it.
  if (content === '') throw new ConfigError(`${fileVariable} names a file that is empty`);
  return content;
};

/** The path is not shown: somebody may have given the secret itself by mistake. */
const readSecret = (fileVariable: string, path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new ConfigError(`${fileVariable} names a file that cannot be read (${reason})`);
  }
};

const parse = <T extends SettingTable>(table: T, given: ReadonlyMap<string, string>): SettingValues<T> => {
  const schema = Type.Object(Object.fromEntries(Object.entries(table).map(([field, row]) => [field, row.schema])));
  const data = Object.fromEntries([...given].filter(([, text]) => text !== ''));
  try {
    return envSchema<SettingValues<T>>({ schema, data, env: false });
  } catch (error) {
    const { errors = [] } = error as { errors?: { instancePath: string }[] };
    const fields = new Set(errors.map(({ instancePath }) => instancePath.slice(1)));
    const lines = [...fields].flatMap((field) => {
      const setting = table[field];
      return setting === undefined ? [] : [refusal(setting, given.get(field) ?? '')];
    });
    if (lines.length === 0) throw error;
    throw new ConfigError(lines.join('\n'));
  }
};

const refusal = ({ name, allowed, secret }: Setting, text: string): string =>
  secret
    ? `${name} has a wrong value, which is not shown because it is a secret; it must be ${allowed}`
    : `${name} is ${JSON.stringify(text)}, but must be ${allowed}`;
