/** Bytes of records as they stand in a log (Kafka protocol, record batch format 2), for tests. */

/** A signed varint (zigzag). */
export const varint = (value: number): Buffer => {
  const bytes: number[] = [];
  let rest = value >= 0 ? BigInt(value) * 2n : BigInt(-value) * 2n - 1n;
  for (; rest >= 0x80n; rest /= 0x80n) bytes.push(Number(rest % 0x80n) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
};

export const field = (bytes: Buffer | string | null): Buffer =>
  bytes === null ? varint(-1) : Buffer.concat([varint(Buffer.byteLength(bytes)), Buffer.from(bytes)]);

interface WrittenRecord {
  readonly key?: Buffer | string | null;
  readonly value?: Buffer | string | null;
  readonly headers?: readonly (readonly [name: string, value: Buffer | null])[];
  readonly timeDelta?: number;
}

export const recordBytes = (
  { key = null, value = null, headers = [], timeDelta = 0 }: WrittenRecord,
  delta: number,
) => {
  const fields = headers.flatMap(([name, content]) => [field(name), field(content)]);
  const parts = [varint(timeDelta), varint(delta), field(key), field(value), varint(headers.length), ...fields];
  const body = Buffer.concat([Buffer.alloc(1), ...parts]);
  return Buffer.concat([varint(body.length), body]);
};
