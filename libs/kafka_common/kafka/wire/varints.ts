/** Reading what record bytes are made of: signed varints (zigzag, as in Protocol Buffers) and fields with a length. */
export interface Cursor {
  readonly bytes: Buffer;
  at: number;
}

/** What is kept of a key or a value that is too large. */
export const KEPT_FIELD_BYTES = 65_536;

/** A varint of 64 bits. */
const MAX_VARINT_BYTES = 10;

/** Whether a whole varint begins here. */
export const isVarintAt = (bytes: Buffer, from: number): boolean => {
  for (let at = from; at < bytes.length && at < from + MAX_VARINT_BYTES; at++) if ((bytes[at] ?? 0) < 0x80) return true;
  return bytes.length >= from + MAX_VARINT_BYTES;
};

/** Exact up to 2^53, else near. @throws RangeError if there is none */
export const readVarint = (cursor: Cursor): number => {
  const { bytes } = cursor;
  const isNegative = ((bytes[cursor.at] ?? 0) & 1) === 1;
  let value = 0;
  for (let i = 0, factor = 1; i < MAX_VARINT_BYTES; i++, factor *= 128) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) break;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return isNegative ? -(value + 1) / 2 : value / 2;
  }
  throw new RangeError('a record ends before its fields');
};

/** A length of -1 means null. @throws RangeError if the bytes end before */
export const readField = (cursor: Cursor): Buffer | null => {
  const length = readVarint(cursor);
  if (length < 0) return null;
  const { bytes, at } = cursor;
  if (at + length > bytes.length) throw new RangeError('a record ends before its fields');
  cursor.at += length;
  return bytes.subarray(at, cursor.at);
};

/** The first bytes of a field, copied, or null if it is null or begins behind the end. */
export const readStartOfField = (cursor: Cursor): Buffer | null => {
  if (cursor.at >= cursor.bytes.length) return null;
  const length = readVarint(cursor);
  if (length < 0) return null;
  const { bytes, at } = cursor;
  cursor.at += length;
  return Buffer.from(bytes.subarray(at, at + Math.min(length, KEPT_FIELD_BYTES)));
};
