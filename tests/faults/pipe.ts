import type { Socket } from 'node:net';

/** Passes on what one socket receives to another: in order, each piece after its delay. */
export interface Pipe {
  /** Adds a piece. @param byteByByte write each byte separately */
  push(piece: Buffer, holdMs: number, byteByByte: boolean): void;
  /** Passes on all held pieces at once. */
  release(): void;
  /** Ends the other side after all held pieces. */
  end(): void;
  /** Drops all held pieces. */
  drop(): void;
}

/** With more held bytes, the source is not read. No request or response of the services is as large. */
const MAX_HELD_BYTES = 16_000_000;
/** Single bytes per turn of `TRICKLE_TURN_MS`: writes cost CPU time, which the tests' clients need too. */
const TRICKLE_BYTES = 20;
const TRICKLE_TURN_MS = 1;

interface Held {
  bytes: Buffer;
  /** When to pass it on, by `performance.now()`. */
  dueAt: number;
  byteByByte: boolean;
}

export const createPipe = (source: Socket, sink: Socket): Pipe => {
  let held: Held[] = [];
  let heldBytes = 0;
  let ending = false;
  let timer: NodeJS.Timeout | null = null;

  const later = (ms: number): void => {
    timer ??= setTimeout(() => {
      timer = null;
      pump();
    }, ms);
  };

  const write = (bytes: Buffer): void => {
    heldBytes -= bytes.length;
    if (sink.writable) sink.write(bytes);
  };

  const pump = (): void => {
    // Nobody reads these bytes any more. One at a time, megabytes would keep the process alive for an hour.
    if (sink.destroyed) held = [];
    for (let first = held[0]; first !== undefined; first = held[0]) {
      const waitMs = first.dueAt - performance.now();
      if (waitMs > 0) return later(waitMs);
      if (!first.byteByByte) {
        held.shift();
        write(first.bytes);
        continue;
      }
      for (const byte of first.bytes.subarray(0, TRICKLE_BYTES)) write(Buffer.of(byte));
      first.bytes = first.bytes.subarray(TRICKLE_BYTES);
      if (first.bytes.length === 0) held.shift();
      return later(TRICKLE_TURN_MS);
    }
    if (source.isPaused()) source.resume();
    if (ending && !sink.destroyed) sink.end();
  };

  return {
    push(bytes, holdMs, byteByByte) {
      held.push({ bytes, dueAt: performance.now() + holdMs, byteByByte });
      heldBytes += bytes.length;
      if (heldBytes + sink.writableLength > MAX_HELD_BYTES) source.pause();
      if (timer === null) pump();
    },
    release() {
      for (const piece of held) {
        piece.dueAt = 0;
        piece.byteByByte = false;
      }
      pump();
    },
    end() {
      ending = true;
      if (timer === null) pump();
    },
    drop() {
      held = [];
      heldBytes = 0;
      if (timer !== null) clearTimeout(timer);
      timer = null;
    },
  };
};
