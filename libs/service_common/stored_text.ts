/**
 * Texts of others, as a database can hold them. JSON can carry the character NUL and half of a surrogate pair. PostgreSQL
 * refuses both; SQLite takes NUL, and turns each half of a pair into the same replacement character. They are written as
 * an escape character and four hexadecimal digits, and so is the escape character itself. Different texts stay different.
 */
const ESCAPE = '\u0001';
// With the flag `u`, half of a pair is matched only if it is alone.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNFIT = /[\0\u0001\p{Surrogate}]/u;
// oxlint-disable-next-line no-control-regex -- as above
const ALL_UNFIT = /[\0\u0001\p{Surrogate}]/gu;
// oxlint-disable-next-line no-control-regex -- as above
const ESCAPED = /\u0001([0-9a-f]{4})/g;

export const toPostgresText = (text: string): string => (UNFIT.test(text) ? escaped(text) : text);

export const fromPostgresText = (text: string): string =>
  text.includes(ESCAPE)
    ? text.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;

/** For texts that are only compared: they cannot be read back. All that SQLite keeps as it is stays as it is. */
export const toSqliteText = (text: string): string => (text.isWellFormed() ? text : escaped(text));

const escaped = (text: string): string =>
  text.replace(ALL_UNFIT, (found) => ESCAPE + found.charCodeAt(0).toString(16).padStart(4, '0'));
