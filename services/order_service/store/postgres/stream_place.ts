/** A place in the stream: for each partition of each topic, by its number, the offset after the last event before it. */
export type StreamPlace = ReadonlyMap<number, ReadonlyMap<number, number>>;

/** A place that moves on with each event. */
export type MovingPlace = Map<number, Map<number, number>>;

export const movingFrom = (place: StreamPlace): MovingPlace =>
  new Map(Array.from(place, ([topic, offsets]) => [topic, new Map(offsets)]));

export const moveTo = (place: MovingPlace, topic: number, partition: number, next: number): void => {
  const offsets = place.get(topic);
  if (offsets === undefined) place.set(topic, new Map([[partition, next]]));
  else offsets.set(partition, next);
};

/** As text: for each topic its number, the number of offsets, and those of the partitions from 0 on, as varints. */
export const placeToText = (place: StreamPlace): string => {
  const bytes: number[] = [];
  for (const [topic, offsets] of [...place].toSorted(([a], [b]) => a - b)) {
    const count = Math.max(-1, ...offsets.keys()) + 1;
    putVarint(bytes, topic);
    putVarint(bytes, count);
    for (let partition = 0; partition < count; partition++) putVarint(bytes, offsets.get(partition) ?? 0);
  }
  return Buffer.from(bytes).toString('base64url');
};

/** Null if the text is not a place. */
export const placeFromText = (text: string): StreamPlace | null => {
  const numbers = varintsIn(Buffer.from(text, 'base64url'));
  if (numbers === null) return null;
  const place: MovingPlace = new Map();
  for (let at = 0; at < numbers.length;) {
    const [topic = 0, count = 0] = numbers.slice(at, at + 2);
    const offsets = numbers.slice(at + 2, at + 2 + count);
    if (offsets.length < count || place.has(topic)) return null;
    // 0 is where every partition begins.
    place.set(topic, new Map(offsets.entries().filter(([, next]) => next > 0)));
    at += 2 + count;
  }
  return place;
};

/** As lists of the same length, for a statement. */
export const placeColumns = (place: StreamPlace): [topics: number[], partitions: number[], offsets: number[]] => {
  const rows = [...place].flatMap(([topic, offsets]) =>
    [...offsets].map(([partition, next]) => [topic, partition, next]),
  );
  return [
    rows.map(([topic = 0]) => topic),
    rows.map(([, partition = 0]) => partition),
    rows.map(([, , next = 0]) => next),
  ];
};

const putVarint = (bytes: number[], number: number): void => {
  let rest = number;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  bytes.push(rest);
};

const varintsIn = (bytes: Buffer): readonly number[] | null => {
  const numbers: number[] = [];
  let number = 0;
  let factor = 1;
  for (const byte of bytes) {
    number += (byte & 0x7f) * factor;
    if (!Number.isSafeInteger(number)) return null;
    factor *= 0x80;
    if (byte >= 0x80) continue;
    numbers.push(number);
    number = 0;
    factor = 1;
  }
  return factor === 1 ? numbers : null;
};
