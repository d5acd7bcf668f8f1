import zlib from 'node:zlib';
import { compressionsAlgorithmsByBitmask } from '@platformatic/kafka';
import { lz4Size, snappySize } from './decompressed_size.ts';

/** Snappy and LZ4 are decompressed at once, so a batch that would become larger is not decompressed. */
const MAX_AT_ONCE_BYTES = 33_554_432;
const PIECE_BYTES = 262_144;
/** Of one batch. It takes about a second, and the other partitions of the leader wait for it. */
const MAX_STREAMED_BYTES = 268_435_456;

const GZIP = 1;
const SNAPPY = 2;
const LZ4 = 3;
const ZSTANDARD = 4;

/** Decompresses in pieces, as long as the caller takes them, so memory is bounded. @throws if the bytes are broken or too many */
export async function* decompressed(compression: number, payload: Buffer): AsyncGenerator<Buffer> {
  if (compression === GZIP) yield* piecesOf(zlib.createGunzip({ chunkSize: PIECE_BYTES }), payload);
  else if (compression === ZSTANDARD) yield* piecesOf(zlib.createZstdDecompress({ chunkSize: PIECE_BYTES }), payload);
  else if (compression === SNAPPY) yield atOnce(compression, payload, snappySize(payload));
  else if (compression === LZ4) yield atOnce(compression, payload, lz4Size(payload));
  else throw new RangeError(`compression ${compression} is not known`);
}

async function* piecesOf(stream: zlib.Gunzip | zlib.ZstdDecompress, payload: Buffer): AsyncGenerator<Buffer> {
  stream.end(payload);
  let bytes = 0;
  // Leaving the loop early destroys the stream.
  for await (const piece of stream) {
    if (!Buffer.isBuffer(piece)) continue;
    bytes += piece.length;
    if (bytes > MAX_STREAMED_BYTES) throw tooMany(MAX_STREAMED_BYTES);
    yield piece;
  }
}

const atOnce = (compression: number, payload: Buffer, size: number): Buffer => {
  if (size > MAX_AT_ONCE_BYTES) throw tooMany(MAX_AT_ONCE_BYTES);
  const algorithm = compressionsAlgorithmsByBitmask[compression];
  if (algorithm === undefined) throw new RangeError(`compression ${compression} is not known`);
  return Buffer.from(algorithm.decompressSync(payload));
};

const tooMany = (limit: number): RangeError => new RangeError(`it has more than ${limit} bytes`);
