/** The size that compressed bytes will have, found without decompressing them. Broken bytes give any number, or throw. */

/** The framing of the Java client: 16 bytes, then chunks with a length of 4 bytes before each. */
const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;

/** Snappy begins with the size as a varint (Snappy format description, section 1). */
export const snappySize = (bytes: Buffer): number => {
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return leadingVarint(bytes, 0);
  let size = 0;
  for (let at = XERIAL_HEADER_BYTES; at + 4 <= bytes.length;) {
    size += leadingVarint(bytes, at + 4);
    at += 4 + bytes.readUInt32BE(at);
  }
  return size;
};

const leadingVarint = (bytes: Buffer, from: number): number => {
  let value = 0;
  for (let at = from, factor = 1; at < bytes.length && at < from + 5; at++, factor *= 128) {
    const byte = bytes[at] ?? 0;
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) break;
  }
  return value;
};

const LZ4_MAGIC = 0x184d2204;
const IS_STORED = 0x8000_0000;

/** The sizes of the blocks of an LZ4 frame (LZ4 frame format 1.6.4), each by its sequences. */
export const lz4Size = (bytes: Buffer): number => {
  if (bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new RangeError('it is not an LZ4 frame');
  const flags = bytes.readUInt8(4);
  const hasBlockChecksum = (flags & 0x10) !== 0;
  let at = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
  let size = 0;
  while (at + 4 <= bytes.length) {
    const head = bytes.readUInt32LE(at);
    if (head === 0) break;
    const length = head % IS_STORED;
    const block = bytes.subarray(at + 4, at + 4 + length);
    size += head >= IS_STORED ? length : lz4BlockSize(block);
    at += 4 + length + (hasBlockChecksum ? 4 : 0);
  }
  return size;
};

/** Each sequence is a token, literals, and a copy of at least 4 bytes; the last one has no copy. */
const lz4BlockSize = (block: Buffer): number => {
  let size = 0;
  let at = 0;
  /** A nibble of 15 goes on in the bytes that follow, up to the first below 255. */
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble < 15) return length;
    let byte: number;
    do {
      byte = block[at++] ?? 0;
      length += byte;
    } while (byte === 255);
    return length;
  };
  while (at < block.length) {
    const token = block[at++] ?? 0;
    const literals = lengthFrom(token >> 4);
    size += literals;
    at += literals + 2;
    if (at - 2 >= block.length) break;
    size += lengthFrom(token & 0x0f) + 4;
  }
  return size;
};
