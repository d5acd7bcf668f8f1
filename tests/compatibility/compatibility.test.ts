import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Compile } from 'typebox/schema';
import { ACCEPTED, WRITTEN } from '#kafka_common/event_schemas.ts';
import { toWire } from '#kafka_common/events.ts';
import { ORDER_STATUSES } from '#kafka_common/models.ts';
import { CURRENCIES } from '#kafka_common/money.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import { anyEvent } from '#tests/support/any_events.ts';
import { ALLOWED_BREAKS } from './allowed_breaks.ts';
import { brokenConsumers, brokenProducers, lostEvents } from './breaches.ts';
import type { Schema } from './containment.ts';
import { type OldEvent, releases } from './releases.ts';

type Schemas = Record<string, Schema>;

const today = { written: WRITTEN as Schemas, accepted: ACCEPTED as Schemas };

/** Events as the Cart Service writes them: always with a version. */
const anyWritten = anyEvent.map((event) => toWire({ ...event, version: event.version ?? 1 }));

const isValid = (schemas: Schemas, json: { event_type: string }): boolean =>
  Compile((schemas[json.event_type] ?? { const: 'no such event' }) as object).Check(json);

test('every event that is written today fits its schema, and is accepted', () => {
  fc.assert(
    fc.property(anyWritten, (json) => isValid(today.written, json) && isValid(today.accepted, json)),
    { numRuns: 300 },
  );
  assert.deepEqual(brokenProducers(today.accepted, today), []);
});

for (const release of releases()) {
  describe(`since ${release.version}`, () => {
    test('consumers read what is written today', () => {
      assert.deepEqual(brokenConsumers(today.written, release), []);
      fc.assert(
        fc.property(anyWritten, (json) => isValid(release.written, json)),
        { numRuns: 300 },
      );
    });

    test('events of its producers are accepted, and read as they were', () => {
      const allowed = ALLOWED_BREAKS.filter((one) => one.release === release.version);
      assert.deepEqual(
        [...new Set(brokenProducers(today.accepted, release))],
        allowed.flatMap(({ breaches }) => breaches),
      );
      const isRefused = (event: OldEvent) => allowed.some(({ refuses }) => refuses(event));
      assert.deepEqual(
        lostEvents(
          decodeEvent,
          release.corpus.filter((event) => !isRefused(event)),
        ),
        [],
      );
    });

    test('no more of its events are refused than what is allowed, each for the reason that is given', () => {
      for (const { refuses, reason } of ALLOWED_BREAKS.filter((one) => one.release === release.version)) {
        const refused = release.corpus.filter(refuses);
        assert.ok(refused.length > 0, 'an allowed break that breaks nothing');
        const lost = lostEvents(decodeEvent, refused);
        assert.equal(lost.length, refused.length);
        for (const one of lost) assert.match(one, reason);
      }
    });

    test('the stored events have every type, status and currency', () => {
      const stored = release.corpus.map(({ value }) => value).join('\n');
      for (const each of [...Object.keys(release.written), ...ORDER_STATUSES, ...CURRENCIES]) {
        assert.ok(stored.includes(`"${each}"`), each);
      }
    });
  });
}
