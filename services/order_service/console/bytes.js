/** @import { Bytes } from './types.d.ts' */

/**
 * @param {Bytes} bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
export const toBytes = (bytes) => {
  if (bytes === null) return new Uint8Array();
  if ('text' in bytes) return new TextEncoder().encode(bytes.text);
  return Uint8Array.from(atob(bytes.base64), (character) => character.charCodeAt(0));
};

/** @param {Bytes} bytes */
export const toText = (bytes) =>
  bytes !== null && 'text' in bytes ? bytes.text : new TextDecoder().decode(toBytes(bytes));

const ROW = 16;

/**
 * Rows of 16 bytes: the offset, the bytes in hex, and the same bytes as ASCII.
 * @param {Uint8Array} bytes
 * @param {number} from
 * @param {number} to
 */
export const hexDump = (bytes, from, to) => {
  const rows = [];
  for (let at = from; at < Math.min(to, bytes.length); at += ROW) {
    const row = [...bytes.subarray(at, Math.min(at + ROW, to))];
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0'));
    const ascii = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    const columns = `${hex.slice(0, 8).join(' ')}  ${hex.slice(8).join(' ')}`;
    rows.push(`${at.toString(16).padStart(8, '0')}  ${columns.padEnd(ROW * 3)}  ${ascii}`);
  }
  return rows.join('\n');
};
