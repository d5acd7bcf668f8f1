/**
 * PostgreSQL's text holds neither the character NUL nor half of a surrogate pair. JSON may bring both. Such a text is
 * stored as JSON behind this mark, which no other text begins with.
 */
const MARK = '\u0001';

export const toText = (value: string): string =>
  value.startsWith(MARK) || value.includes('\0') || !value.isWellFormed() ? MARK + JSON.stringify(value) : value;

export const fromText = (text: string): string =>
  text.startsWith(MARK) ? (JSON.parse(text.slice(MARK.length)) as string) : text;
