/**
 * Kafka's framing (protocol guide): each request and response is a 4-byte size, then that many bytes. A request begins
 * with its API key (int16), version (int16) and correlation id (int32). A response begins with the correlation id.
 */

export const PRODUCE = 0;

const SIZE_BYTES = 4;

/**
 * Filters a stream of frames. `keep` sees the first `headBytes` bytes of each frame (after its size). Frames are kept
 * or dropped whole, whatever the pieces of the stream are.
 */
export const createFrameFilter = (
  headBytes: number,
  keep: (head: Buffer) => boolean,
): ((piece: Buffer) => Buffer[]) => {
  const wanted = SIZE_BYTES + headBytes;
  let head = Buffer.alloc(0);
  let left = 0;
  let keeping = true;

  return (piece) => {
    const passed: Buffer[] = [];
    let rest = piece;
    while (rest.length > 0) {
      if (left > 0) {
        const part = rest.subarray(0, left);
        rest = rest.subarray(part.length);
        left -= part.length;
        if (keeping) passed.push(part);
        continue;
      }
      const part = rest.subarray(0, wanted - head.length);
      rest = rest.subarray(part.length);
      head = Buffer.concat([head, part]);
      if (head.length < wanted) break;
      keeping = keep(head.subarray(SIZE_BYTES));
      left = head.readInt32BE(0) - headBytes;
      if (keeping) passed.push(head);
      head = Buffer.alloc(0);
    }
    return passed;
  };
};
