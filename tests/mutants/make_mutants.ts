import { readFileSync } from 'node:fs';
import { Instrumenter } from '@stryker-mutator/instrumenter';

/** One small change to a file. */
export interface Mutant {
  /** It is active if the environment variable `__STRYKER_ACTIVE_MUTANT__` has this value. */
  readonly id: string;
  /** As an editor finds it: `path:line:column`. */
  readonly place: string;
  readonly original: string;
  readonly replacement: string;
}

export interface MutatedFile {
  /** The source, with every mutant in it. */
  readonly source: string;
  readonly mutants: readonly Mutant[];
}

const ignore = (): void => {};
const LOGGER = {
  isTraceEnabled: () => false,
  isDebugEnabled: () => false,
  isInfoEnabled: () => false,
  isWarnEnabled: () => true,
  isErrorEnabled: () => true,
  isFatalEnabled: () => true,
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: console.warn,
  error: console.error,
  fatal: console.error,
};

/** Makes all mutants of a file, except those that a comment `Stryker disable` in it leaves out. */
export const makeMutants = async (path: string): Promise<MutatedFile> => {
  const content = readFileSync(path, 'utf8');
  const options = { plugins: null, excludedMutations: [], ignorers: [] };
  const result = await new Instrumenter(LOGGER).instrument([{ name: path, mutate: true, content }], options);
  const lines = content.split('\n');
  const mutants = result.mutants
    .filter(({ status }) => status !== 'Ignored')
    .map(({ id, location: { start, end }, replacement }) => ({
      id,
      place: `${path}:${start.line + 1}:${start.column + 1}`,
      original: textBetween(lines, start, end),
      replacement: replacement ?? '',
    }));
  return { source: result.files[0]?.content ?? '', mutants };
};

type Position = { readonly line: number; readonly column: number };

const textBetween = (lines: readonly string[], start: Position, end: Position): string =>
  lines
    .slice(start.line, end.line + 1)
    .map((line, at) => line.slice(at === 0 ? start.column : 0, start.line + at === end.line ? end.column : undefined))
    .join('\n');
