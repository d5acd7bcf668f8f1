const SEED = 0x9747b28c;
const M = 0x5bd1e995;

/**
 * The partition of a key, as the Java client chooses it: murmur2 of the UTF-8 bytes, sign bit cleared. So producers in
 * other languages put the same order into the same partition.
 */
export const partitionOf = (key: string, partitions: number): number =>
  (murmur2(Buffer.from(key)) & 0x7fffffff) % partitions;

/**
 * The 32-bit murmur2 of Kafka (`org.apache.kafka.common.utils.Utils.murmur2`), as a signed number. The client library's
 * own works with BigInts and is three times slower. The embedded broker also runs without the library.
 */
const murmur2 = (data: Buffer): number => {
  let h = SEED ^ data.length;
  const tail = data.length & ~3;
  for (let i = 0; i < tail; i += 4) {
    let k = Math.imul(data.readInt32LE(i), M);
    k = Math.imul(k ^ (k >>> 24), M);
    h = Math.imul(h, M) ^ k;
  }
  const rest = data.length - tail;
  if (rest > 0) h = Math.imul(h ^ data.readUIntLE(tail, rest), M);
  h = Math.imul(h ^ (h >>> 13), M);
  return h ^ (h >>> 15);
};
