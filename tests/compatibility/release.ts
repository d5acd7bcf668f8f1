/**
 * `npm run events:release -- v2`: stores the schemas and examples of the events of this version, for the tests of every
 * later version.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { decide } from '#cart_service/order_commands.ts';
import { ACCEPTED, WRITTEN } from '#kafka_common/event_schemas.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { ORDER_STATUSES } from '#kafka_common/models.ts';
import { CURRENCIES } from '#kafka_common/money.ts';
import { decodeEvent, encodeEvent } from '#kafka_common/serdes_json.ts';
import { anyEvent } from '#tests/support/any_events.ts';
import { type OldEvent, RELEASES_FOLDER } from './releases.ts';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const SEED = 1;

/** Events as the Cart Service writes them: an order in each currency, and every status. */
const histories = (): OrderEvent[] => {
  const random = fc.sample(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    numRuns: 5_000,
    seed: SEED,
  });
  let ids = 0;
  const circumstances = {
    now: 1_768_737_600_000,
    newId: () => `00000000-0000-4000-8000-${String(++ids).padStart(12, '0')}`,
    random: () => random.pop() ?? 0,
  };
  return CURRENCIES.flatMap((currency, n) => {
    const orderId = `ORD-${n + 1}`;
    const draft = { orderId, numberOfItems: (n % 3) + 1, items: null, customerId: null, currency };
    const created = decide({ kind: 'create', orderId, draft, fingerprint: '' }, undefined, false, circumstances);
    if (created.kind !== 'event') throw new Error(created.kind);
    const status = ORDER_STATUSES[(n % (ORDER_STATUSES.length - 1)) + 1] ?? 'new';
    const command = { kind: 'update', orderId, status, fingerprint: '' } as const;
    const updated = decide(command, created.state, false, circumstances);
    return updated.kind === 'event' ? [created.event, updated.event] : [created.event];
  });
};

/** Events of other producers, in forms that the Cart Service does not write. */
const FOREIGN: readonly string[] = [
  '{"event_id":"1","event_type":"ORDER_STATUS_UPDATED","timestamp":"2026-01-18","order_id":"123","status":"CONFIRMED"}',
  '{"event_id":"2","event_type":"ORDER_STATUS_UPDATED","timestamp":"2026-01-18 23:00:00.5-0530","order_id":"ORD-0123","status":"Shipped","extra":[1]}',
  '{"event_id":"3","event_type":"ORDER_CREATED","timestamp":"2026-01-18T12:00","order_id":"7","order":{"orderId":"7","customerId":"c","orderDate":"2026-01-18T12:00:01+02:00","items":[{"itemId":"i","quantity":2,"price":0.5,"color":"red"}],"totalAmount":1,"currency":"USD","status":"NEW"}}',
  '\uFEFF{"event_id":"4","event_type":"ORDER_STATUS_UPDATED","timestamp":"2026-01-18T12:00:01.123456789Z","order_id":"ORD-7","version":2,"status":"new"}',
];

const version = process.argv[2] ?? '';
const folder = join(RELEASES_FOLDER, version);
if (!/^v\d+$/.test(version)) throw new Error('give a version, for example v2');
if (existsSync(folder)) throw new Error(`${version} was released already, and a release never changes`);

const ours = [...histories(), ...fc.sample(anyEvent, { numRuns: 60, seed: SEED })].map((event) =>
  encodeEvent(event, TRACEPARENT),
);
const foreign = FOREIGN.map((value) => ({ key: 'ORD-7', headers: {}, value }));
const corpus = [...ours, ...foreign].map(({ key, headers, value }): OldEvent => {
  const decoded = decodeEvent({ key: Buffer.from(key), value: Buffer.from(value) });
  if (decoded.kind === 'invalid') throw new Error(`${decoded.reason}: ${value}`);
  return { key, headers, value, decoded };
});

mkdirSync(folder, { recursive: true });
const write = (name: string, text: string): void => writeFileSync(join(folder, name), text);
write('written.json', `${JSON.stringify(WRITTEN, null, 2)}\n`);
write('accepted.json', `${JSON.stringify(ACCEPTED, null, 2)}\n`);
write('events.jsonl', `${corpus.map((event) => JSON.stringify(event)).join('\n')}\n`);
console.log(`wrote ${corpus.length} events to ${folder}`);
