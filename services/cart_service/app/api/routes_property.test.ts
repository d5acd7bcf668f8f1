import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '#kafka_common/field_kinds.ts';
import { canonicalOrderId, ORDER_STATUSES } from '#kafka_common/models.ts';
import { CURRENCIES, currencyExponent, fromMinorUnits } from '#kafka_common/money.ts';
import { decodeEvent, encodeEvent } from '#kafka_common/serdes_json.ts';
import { anyId, anyItems } from '#tests/support/any_events.ts';
import { type CreateOrder, decide, type UpdateOrder } from '#cart_service/order_commands.ts';
import type { OrderDraft } from '#cart_service/order_generator.ts';
import type { CommandRequest } from '#cart_service/requests.ts';
import { BOTH, problemOf, type Route, ROUTES, useTestCart } from '#tests/support/cart_app.ts';

const cart = useTestCart();

/** The submitted command gives an event that every reader of the topic accepts. */
const assertSound = ({ command, idempotencyKey }: CommandRequest): void => {
  assert.equal(canonicalOrderId(command.orderId), command.orderId);
  assert.ok(idempotencyKey === null || /^[!-~]{1,255}$/.test(idempotencyKey));
  const state = { orderId: command.orderId, version: 1, status: 'pending' } as const;
  const circumstances = { now: 0, newId: () => 'event-1', random: () => 0.5 };
  const decision = decide(command, command.kind === 'create' ? undefined : state, false, circumstances);
  if (decision.kind === 'refused') assert.equal(decision.refusal.code, 'StatusNotAllowed');
  if (decision.kind !== 'event') return;
  const { key, value } = encodeEvent(decision.event, '');
  const decoded = decodeEvent({ key: Buffer.from(key), value: Buffer.from(value) });
  assert.deepEqual(decoded, { kind: 'event', event: decision.event, keyMatches: true });
};

const camelCase = (name: string): string => name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());

/** A valid body, and its command. */
interface Valid {
  readonly route: Route;
  readonly body: Record<string, unknown>;
  readonly command: Omit<CreateOrder, 'fingerprint'> | Omit<UpdateOrder, 'fingerprint'>;
}

const canonical = (id: string | number): string => `ORD-${String(id).replace('ORD-', '')}`;

/** A body with its fields in one of the two spellings, without those that are null. */
const spelled = (camel: boolean, fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [camel ? camelCase(name) : name, value]),
  );

const anyOrderId = fc.oneof(fc.stringMatching(/^(ORD-)?[0-9]{1,64}$/), fc.nat({ max: Number.MAX_SAFE_INTEGER }));

const FIELDS = ['order_id', 'number_of_items', 'items', 'customer_id', 'currency', 'status'];
const KNOWN = new Set([...FIELDS, ...FIELDS.map(camelCase)]);
const anyUnknownFields = fc.dictionary(
  fc.string().filter((name) => !KNOWN.has(name)),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 3 },
);

const anyCreate = fc
  .record({
    camel: fc.boolean(),
    order_id: anyOrderId,
    count: fc.integer({ min: 1, max: LIMITS.items }),
    countsItems: fc.boolean(),
    given: fc.option(anyItems),
    customer_id: fc.option(anyId),
    currency: fc.option(fc.constantFrom(...CURRENCIES)),
    unknown: anyUnknownFields,
  })
  .map(({ camel, count, countsItems, given, unknown, ...fields }): Valid => {
    const { order_id, customer_id, currency } = fields;
    const exponent = currencyExponent(currency ?? 'USD') ?? assert.fail(`${currency}`);
    const items = given?.map(({ itemId, quantity, price }) =>
      spelled(camel, { item_id: itemId, quantity, price: fromMinorUnits(price, exponent) }),
    );
    const number_of_items = items === undefined ? count : countsItems ? items.length : null;
    const orderId = canonical(order_id);
    const draft: OrderDraft = {
      orderId,
      numberOfItems: items?.length ?? count,
      items: given,
      customerId: customer_id,
      currency: currency ?? (given && 'USD'),
    };
    return {
      route: 'create',
      body: { ...unknown, ...spelled(camel, { ...fields, number_of_items, items: items ?? null }) },
      command: { kind: 'create', orderId, draft },
    };
  });

const anyUpdate = fc
  .record({
    camel: fc.boolean(),
    order_id: anyOrderId,
    status: fc.constantFrom(...ORDER_STATUSES),
    capitals: fc.boolean(),
    unknown: anyUnknownFields,
  })
  .map(({ camel, order_id, status, capitals, unknown }): Valid => ({
    route: 'update',
    body: { ...unknown, ...spelled(camel, { order_id, status: capitals ? status.toUpperCase() : status }) },
    command: { kind: 'update', orderId: canonical(order_id), status },
  }));

const anyValid = fc.oneof(anyCreate, anyUpdate);

const latin1 = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });

test('any valid request is answered 200, and its command is submitted', async () => {
  const key = fc.option(fc.stringMatching(/^[!-~]{1,255}$/));
  await fc.assert(
    fc.asyncProperty(anyValid, key, latin1, async ({ route, body, command }, idempotencyKey, traceparent) => {
      cart.submitted = [];
      const headers = { traceparent, ...(idempotencyKey === null ? {} : { 'idempotency-key': idempotencyKey }) };
      const response = await cart.send(route, body, headers);
      assert.equal(response.statusCode, 200, response.body);
      const [request, ...others] = cart.submitted;
      assert.ok(request !== undefined && others.length === 0);
      const { fingerprint: _, ...submitted } = request.command;
      assert.deepEqual([submitted, request.idempotencyKey], [command, idempotencyKey]);
      assertSound(request);
    }),
    { numRuns: 1_000 },
  );
});

test('any broken request is either a 4xx that submits nothing, or valid', async () => {
  /** A valid body with some fields replaced by any JSON, or added. */
  const mutated = fc
    .tuple(anyValid, fc.dictionary(fc.constantFrom(...KNOWN), fc.jsonValue(), { minKeys: 1 }))
    .map(([{ route, body }, changes]) => ({ route, payload: JSON.stringify({ ...body, ...changes }) }));
  const anything = fc.record({
    route: fc.constantFrom(...BOTH),
    payload: fc.oneof(
      fc.json(),
      fc.string({ unit: 'binary' }),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    ),
  });
  const contentType = fc.oneof({ weight: 9, arbitrary: fc.constant('application/json') }, latin1);
  const headers = fc.record(
    { 'content-type': contentType, 'idempotency-key': latin1, traceparent: latin1, accept: latin1 },
    { requiredKeys: ['content-type'] },
  );
  await fc.assert(
    fc.asyncProperty(fc.oneof(mutated, anything), latin1, headers, async ({ route, payload }, query, given) => {
      cart.submitted = [];
      const { method, url } = ROUTES[route];
      const response = await cart.app.inject({ method, url: `${url}?${query}`, payload, headers: given });
      assert.equal(cart.submitted.length, response.statusCode === 200 ? 1 : 0);
      cart.submitted.forEach(assertSound);
      if (response.statusCode === 200) return;
      assert.ok(response.statusCode >= 400 && response.statusCode < 500, response.body);
      problemOf(response, response.json().code);
    }),
    { numRuns: 3_000 },
  );
});
