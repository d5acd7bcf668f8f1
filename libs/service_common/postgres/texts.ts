/**
 * Texts of others, as a `text` column can hold them. PostgreSQL takes neither the character NUL nor half of a surrogate
 * pair, and JSON can carry both. They are written as an escape character and four hexadecimal digits, and so is the
 * escape character itself. Two different texts stay different.
 */
const ESCAPE = '\u0001';
// With the flag `u`, half of a pair is matched only if it is alone.
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const UNFIT = /[\0\u0001\p{Surrogate}]/u;
// oxlint-disable-next-line no-control-regex -- they are what is looked for
const ALL_UNFIT = /[\0\u0001\p{Surrogate}]/gu;
// oxlint-disable-next-line no-control-regex -- as above
const ESCAPED = /\u0001([0-9a-f]{4})/g;

export const toPostgresText = (text: string): string =>
  UNFIT.test(text)
    ? text.replace(ALL_UNFIT, (found) => ESCAPE + found.charCodeAt(0).toString(16).padStart(4, '0'))
    : text;

export const fromPostgresText = (text: string): string =>
  text.includes(ESCAPE)
    ? text.replace(ESCAPED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    : text;
