import { isDeepStrictEqual } from 'node:util';
import type { Decoded } from '#kafka_common/serdes_json.ts';
import { type Schema, whatIsNotRead } from './containment.ts';
import type { OldEvent, Release } from './releases.ts';

/** What a change of the events would break for a release, in words. Empty if it breaks nothing. */

type Schemas = Readonly<Record<string, Schema>>;

/** Breaches for consumers of the release: they rely on the schemas for writing of that release. */
export const brokenConsumers = (written: Schemas, release: Pick<Release, 'written'>): string[] =>
  Object.entries(written).flatMap(([type, schema]) => {
    const expected = release.written[type];
    return expected === undefined ? [`${type} is not known`] : whatIsNotRead(schema, expected, type);
  });

/** Breaches for producers of the release, and for the log that they wrote. */
export const brokenProducers = (accepted: Schemas, release: Pick<Release, 'written' | 'accepted'>): string[] =>
  [release.written, release.accepted].flatMap((schemas) =>
    Object.entries(schemas).flatMap(([type, schema]) => {
      const reader = accepted[type];
      return reader === undefined ? [`${type} is not read any more`] : whatIsNotRead(schema, reader, type);
    }),
  );

type Decode = (record: { key: Buffer; value: Buffer }) => Decoded;

/** Events of the release that are not read as they were read then. */
export const lostEvents = (decode: Decode, corpus: readonly OldEvent[]): string[] =>
  corpus.flatMap(({ key, value, decoded }) => {
    const now = decode({ key: Buffer.from(key), value: Buffer.from(value) });
    if (isDeepStrictEqual(now, decoded)) return [];
    return [`${now.kind === 'invalid' ? now.reason : 'read differently'}: ${value}`];
  });
