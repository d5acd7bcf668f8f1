import { isUtf8 } from 'node:buffer';

/** A byte that is not part of UTF-8 becomes the lone surrogate U+DC80 to U+DCFF, as in Python's `surrogateescape` (PEP 383). */
const ESCAPES = 0xdc00;
const ESCAPED = /[\udc80-\udcff]/u;

/** The name of a header. Bytes that are not UTF-8 are escaped, so that `headerNameBytes` returns them again. */
export const headerName = (bytes: Buffer): string => {
  // Stryker disable next-line ConditionalExpression: a shortcut, the loop below gives the same
  if (isUtf8(bytes)) return bytes.toString();
  let name = '';
  for (let at = 0; at < bytes.length;) {
    const length = [1, 2, 3, 4].find((n) => isUtf8(bytes.subarray(at, at + n)));
    name +=
      length === undefined ? String.fromCharCode(ESCAPES + (bytes[at] ?? 0)) : bytes.toString('utf8', at, at + length);
    at += length ?? 1;
  }
  return name;
};

export const headerNameBytes = (name: string): Buffer => {
  if (!ESCAPED.test(name)) return Buffer.from(name);
  return Buffer.concat(
    Array.from(name, (character) =>
      ESCAPED.test(character) ? Buffer.from([character.charCodeAt(0) & 0xff]) : Buffer.from(character),
    ),
  );
};
