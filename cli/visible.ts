/**
 * Makes foreign text safe to show on a terminal. It escapes control characters, which act on a terminal, and invisible
 * ones (zero width, direction of writing), which deceive its reader. It doubles backslashes, so no escape can be
 * forged.
 */
export const visible = (text: string): string =>
  text.toWellFormed().replaceAll(ACTING, (character) => ESCAPES[character] ?? `\\u{${codeOf(character)}}`);

/** The beginning of a text in one line, and how many characters are left. */
export const preview = (text: string, length: number): string => {
  const beginning = Array.from(text.slice(0, length * 2))
    .slice(0, length)
    .join('');
  const rest = text.length - beginning.length;
  return visible(beginning) + (rest > 0 ? `… (${rest} more)` : '');
};

/** JSON in one line, without a character that acts on a terminal. */
export const visibleJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(UNSEEN, (character) =>
    Array.from(
      { length: character.length },
      (_, n) => `\\u${character.charCodeAt(n).toString(16).padStart(4, '0')}`,
    ).join(''),
  );

const ACTING = /[\p{C}\p{Zl}\p{Zp}\\]/gu;
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]/gu;

const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' };

const codeOf = (character: string): string => (character.codePointAt(0) ?? 0).toString(16);
