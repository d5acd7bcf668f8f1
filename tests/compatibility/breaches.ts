import { isDeepStrictEqual } from 'node:util';
import type { Decoded } from '#kafka_common/serdes_json.ts';
import { type Schema, whatIsNotRead } from './containment.ts';
import type { OldEvent, Release } from './releases.ts';

/** What a change of the events would break, in words; empty where everybody of that release lives on. */

type Schemas = Readonly<Record<string, Schema>>;

/** Consumers of the release, which rely upon what was written then, on what is written now. */
export const brokenConsumers = (written: Schemas, release: Pick<Release, 'written'>): string[] =>
  Object.entries(written).flatMap(([type, schema]) => {
    const expected = release.written[type];
    return expected === undefined ? [`${type} is not known`] : whatIsNotRead(schema, expected, type);
  });

/** Producers of the release, and the log that they wrote, on what is accepted now. */
export const brokenProducers = (accepted: Schemas, release: Pick<Release, 'written' | 'accepted'>): string[] =>
  [release.written, release.accepted].flatMap((schemas) =>
    Object.entries(schemas).flatMap(([type, schema]) => {
      const reader = accepted[type];
      return reader === undefined ? [`${type} is not read any more`] : whatIsNotRead(schema, reader, type);
    }),
  );

type Decode = (record: { key: Buffer; value: Buffer }) => Decoded;

/** Events of the release that are not read to what they were read to then. */
export const lostEvents = (decode: Decode, corpus: readonly OldEvent[]): string[] =>
  corpus.flatMap(({ key, value, decoded }) => {
    const now = decode({ key: Buffer.from(key), value: Buffer.from(value) });
    if (isDeepStrictEqual(now, decoded)) return [];
    return [`${now.kind === 'invalid' ? now.reason : 'read differently'}: ${value}`];
  });
