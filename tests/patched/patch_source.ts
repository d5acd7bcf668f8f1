import { readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * A change to a source file of this repository. It is made when the module is loaded; the file itself does not change.
 */
export interface SourcePatch {
  /** For messages. */
  readonly name: string;
  /** The path from the repository's root, with slashes. */
  readonly file: string;
  /** The text to replace; it must occur exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

const ROOT = new URL('../../', import.meta.url);

/**
 * Patches the modules that are imported from now on. Several patches of one file are applied in turn.
 * @throws Error if the text to find does not occur exactly once: a patch must follow its source
 */
export const patchSources = (patches: readonly SourcePatch[]): void => {
  const sources = new Map<string, string>();
  for (const patch of patches) {
    const { href } = new URL(patch.file, ROOT);
    sources.set(href, patched(sources.get(href) ?? readFileSync(fileURLToPath(href), 'utf8'), patch));
  }
  registerHooks({
    load(url, context, nextLoad) {
      const source = sources.get(url);
      return source === undefined ? nextLoad(url, context) : { ...nextLoad(url, context), source };
    },
  });
};

/** The source with the patch applied. @throws Error if the text to find does not occur exactly once */
const patched = (source: string, { name, file, find, replace }: SourcePatch): string => {
  const occurrences = source.split(find).length - 1;
  if (occurrences !== 1) {
    throw new Error(`patch "${name}": its text occurs ${occurrences} times in ${file}, it must occur once`);
  }
  return source.replace(find, () => replace);
};
