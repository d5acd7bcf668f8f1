import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { LIMITS } from '#kafka_common/field_kinds.ts';
import { ORDER_STATUSES } from '#kafka_common/models.ts';
import type { ErrorCode } from '#service_common/errors.ts';
import type { Command } from '#cart_service/order_commands.ts';
import { failed } from '#cart_service/requests.ts';
import {
  BOTH,
  problemOf,
  type Response,
  type Route,
  ROUTES,
  useTestCart,
  VALID,
  wrongFields,
} from '#tests/support/cart_app.ts';

const cart = useTestCart();

const ITEM = { item_id: 'ITEM-001', quantity: 2, price: 75 };

const theCommand = (): Command => {
  const [request, ...others] = cart.submitted;
  assert.deepEqual(others, []);
  return request?.command ?? assert.fail('nothing was submitted');
};

const assertDone = (response: Response, message: string): void => {
  assert.equal(response.statusCode, 200, response.body);
  assert.deepEqual(response.json(), { message, orderId: theCommand().orderId });
};

const assertCreated = (response: Response): void => assertDone(response, 'order created and published successfully');

const assertUpdated = (response: Response): void =>
  assertDone(response, 'order status updated and published successfully');

const ORDER_IDS: readonly (readonly [string, unknown, string | null])[] = [
  ['digits', '123', 'ORD-123'],
  ['digits with `ORD-`', 'ORD-123', 'ORD-123'],
  ['leading zeros', '0123', 'ORD-0123'],
  ['64 digits', '9'.repeat(64), `ORD-${'9'.repeat(64)}`],
  ['an integer', 123, 'ORD-123'],
  ['zero', 0, 'ORD-0'],
  ['an empty text', '', null],
  ['65 digits', '9'.repeat(65), null],
  ['letters', 'ORD-ABC', null],
  ['`ord-` in lower case', 'ord-123', null],
  ['digits with a blank', ' 123', null],
  ['digits with a line end', '123\n', null],
  ['a negative integer', -1, null],
  ['a fraction', 1.5, null],
  ['an integer that is not exact', 2 ** 53, null],
  ['null', null, null],
  ['true', true, null],
  ['an array', ['123'], null],
  ['an object', { id: '123' }, null],
];

for (const route of BOTH) {
  describe(`${ROUTES[route].method} ${ROUTES[route].url}`, () => {
    for (const [what, id, orderId] of ORDER_IDS) {
      test(`${orderId === null ? 'refuses' : 'accepts'} ${what} as the order id, under both names`, async () => {
        for (const name of ['order_id', 'orderId']) {
          cart.submitted = [];
          const { order_id: _, ...others } = VALID[route];
          const response = await cart.send(route, { [name]: id, ...others });
          if (orderId === null) assert.deepEqual([wrongFields(response), cart.submitted], [['order_id'], []]);
          else assert.deepEqual([response.statusCode, theCommand().orderId], [200, orderId]);
        }
      });
    }

    test('explains what an order id must be', async () => {
      for (const order_id of ['1x', '', 1.5, -1, true]) {
        const { detail } = problemOf(await cart.send(route, { ...VALID[route], order_id }), 'ValidationFailed');
        assert.equal(detail, 'order_id must be 1 to 64 digits, with or without "ORD-" before them');
      }
    });

    test('names each missing field of an empty body', async () => {
      const needed = { create: ['number_of_items', 'order_id'], update: ['order_id', 'status'] };
      assert.deepEqual(wrongFields(await cart.send(route, {})), needed[route]);
    });

    for (const body of [null, [], [VALID[route]], 'text', 3, true]) {
      test(`refuses ${JSON.stringify(body)} as a body`, async () => {
        assert.deepEqual(wrongFields(await cart.send(route, body)), ['body']);
        assert.deepEqual(cart.submitted, []);
      });
    }

    for (const [what, payload] of [
      ['nothing', ''],
      ['text', 'order_id=1'],
      ['JSON that is cut off', '{"order_id":"1"'],
      ['two JSON values', '{}{}'],
      ['bytes that are no text', Buffer.from([0xff, 0x00, 0xfe])],
      ['brackets without end', '['.repeat(60_000)],
    ] as const) {
      test(`refuses ${what} instead of JSON`, async () => {
        problemOf(await cart.sendText(route, payload), 'ValidationFailed');
        assert.deepEqual(cart.submitted, []);
      });
    }

    for (const type of ['text/plain', 'text/xml', 'application/x-www-form-urlencoded', 'application/octet-stream']) {
      test(`refuses the content type ${type}`, async () => {
        const response = await cart.sendText(route, JSON.stringify(VALID[route]), { 'content-type': type });
        problemOf(response, 'UnsupportedMediaType');
        assert.deepEqual(cart.submitted, []);
      });
    }

    test('refuses a body without a content type', async () => {
      problemOf(await cart.sendText(route, JSON.stringify(VALID[route]), {}), 'UnsupportedMediaType');
    });

    test('accepts JSON in any spelling of its content type', async () => {
      for (const type of [
        'application/json; charset=utf-8',
        'application/json;charset=UTF-8',
        'application/json; charset="utf-8"',
        'APPLICATION/JSON',
      ]) {
        const response = await cart.sendText(route, JSON.stringify(VALID[route]), { 'content-type': type });
        assert.equal(response.statusCode, 200, response.body);
      }
    });

    test('refuses bytes that are not UTF-8, and says what to send', async () => {
      for (const text of ['M\u00fcller', '\u00ff', 'a\u00c3(']) {
        const body = JSON.stringify({ ...VALID[route], padding: text });
        const response = await cart.sendText(route, Buffer.from(body, 'latin1'));
        const { errors } = problemOf(response, 'ValidationFailed');
        assert.deepEqual(errors, [{ field: 'body', message: 'is not UTF-8; send JSON in UTF-8' }]);
      }
      assert.deepEqual(cart.submitted, []);
      const body = JSON.stringify({ ...VALID[route], padding: 'M\u00fcller' });
      assert.equal((await cart.sendText(route, Buffer.from(body))).statusCode, 200);
    });

    test('refuses another charset and any content encoding', async () => {
      const body = JSON.stringify(VALID[route]);
      for (const headers of [
        { 'content-type': 'application/json; charset=iso-8859-1' },
        { 'content-type': 'application/json; charset="utf-16"' },
        { 'content-type': 'application/json; charset=utf-8; charset=latin1' },
        { 'content-type': 'application/json; CHARSET=windows-1252' },
        { 'content-type': 'application/json', 'content-encoding': 'gzip' },
        { 'content-type': 'application/json', 'content-encoding': 'identity, br' },
      ]) {
        problemOf(await cart.sendText(route, body, headers), 'UnsupportedMediaType');
      }
      assert.deepEqual(cart.submitted, []);
    });

    test('accepts a body of 64 KiB, and none with a byte more', async () => {
      const size = JSON.stringify({ ...VALID[route], padding: '' }).length;
      const padded = (bytes: number) => cart.send(route, { ...VALID[route], padding: 'x'.repeat(bytes - size) });
      assert.equal((await padded(65_536)).statusCode, 200);
      problemOf(await padded(65_537), 'BodyTooLarge');
      assert.equal(cart.submitted.length, 1);
    });

    test('ignores unknown fields of any name and value', async () => {
      const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
      const json = `{"deep":${deep},"__proto__":{"status":"x"},"constructor":{"prototype":1},"toString":1,"":null,`;
      const response = await cart.sendText(route, json + JSON.stringify(VALID[route]).slice(1));
      assert.equal(response.statusCode, 200, response.body);
    });

    test('reads no field from a prototype in the body', async () => {
      const { order_id: _, ...others } = VALID[route];
      for (const name of ['__proto__', 'constructor']) {
        const json = `{"${name}":{"order_id":"1","prototype":{"order_id":"1"}},${JSON.stringify(others).slice(1)}`;
        assert.deepEqual(wrongFields(await cart.sendText(route, json)), ['order_id']);
      }
    });

    test('refuses a field given under two names with different values, and accepts it with the same', async () => {
      assert.deepEqual(wrongFields(await cart.send(route, { ...VALID[route], orderId: '124' })), ['order_id']);
      assert.equal((await cart.send(route, { ...VALID[route], orderId: 123 })).statusCode, 200);
    });

    test('takes the last value of a field given twice under one name, as JSON.parse does', async () => {
      const response = await cart.sendText(route, `{"order_id":"1",${JSON.stringify(VALID[route]).slice(1)}`);
      assert.deepEqual([response.statusCode, theCommand().orderId], [200, 'ORD-123']);
    });

    test('passes on the Idempotency-Key, or null', async () => {
      const keys = ['k', '!~', 'k'.repeat(255)];
      for (const key of keys) await cart.send(route, VALID[route], { 'idempotency-key': key });
      await cart.send(route, VALID[route]);
      assert.deepEqual(
        cart.submitted.map(({ idempotencyKey }) => idempotencyKey),
        [...keys, null],
      );
    });

    for (const [what, key] of [
      ['empty', ''],
      ['with a blank', 'a b'],
      ['not ASCII', 'ké'],
      ['of 256 characters', 'k'.repeat(256)],
    ] as const) {
      test(`refuses an Idempotency-Key that is ${what}`, async () => {
        const response = await cart.send(route, VALID[route], { 'idempotency-key': key });
        assert.deepEqual([wrongFields(response), cart.submitted], [['idempotency-key'], []]);
      });
    }

    test('continues the trace of the request, or starts one', async () => {
      const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
      await cart.send(route, VALID[route], { traceparent: `00-${trace}-00f067aa0ba902b7-01` });
      await cart.send(route, VALID[route], { traceparent: 'broken' });
      const [continued, started] = cart.submitted.map(({ traceparent }) => traceparent);
      assert.match(continued ?? '', new RegExp(`^00-${trace}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`));
      assert.match(started ?? '', new RegExp(`^00-(?!${trace})[0-9a-f]{32}-[0-9a-f]{16}-00$`));
    });
  });
}

describe('an order to create', () => {
  const GIVEN: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>])[] = [
    ['a count', { number_of_items: 3 }, { numberOfItems: 3, items: null, customerId: null, currency: null }],
    ['a count in camelCase', { numberOfItems: 3 }, { numberOfItems: 3 }],
    ['the highest count', { number_of_items: LIMITS.items }, { numberOfItems: LIMITS.items }],
    ['an integer with decimals of zero', { number_of_items: JSON.parse('3.0') }, { numberOfItems: 3 }],
    ['a customer', { number_of_items: 1, customer_id: 'c' }, { customerId: 'c' }],
    ['a customer in camelCase', { number_of_items: 1, customerId: 'é-漢-😀' }, { customerId: 'é-漢-😀' }],
    [
      'a customer of 128 characters',
      { number_of_items: 1, customerId: '😀'.repeat(128) },
      { customerId: '😀'.repeat(128) },
    ],
    ['a currency', { number_of_items: 1, currency: 'KWD' }, { currency: 'KWD', items: null }],
    [
      'items without a count and a currency',
      { items: [ITEM] },
      { numberOfItems: 1, currency: 'USD', items: [{ itemId: 'ITEM-001', quantity: 2, price: 7_500 }] },
    ],
    ['items with their count', { items: [ITEM, ITEM], number_of_items: 2 }, { numberOfItems: 2 }],
    [
      'items in camelCase',
      { items: [{ itemId: 'ITEM-001', quantity: 2, price: 0.01 }] },
      { items: [{ itemId: 'ITEM-001', quantity: 2, price: 1 }] },
    ],
    [
      'items in yen',
      { items: [ITEM], currency: 'JPY' },
      { currency: 'JPY', items: [{ itemId: 'ITEM-001', quantity: 2, price: 75 }] },
    ],
    [
      'items in Kuwaiti dinars',
      { items: [{ ...ITEM, price: 75.005 }], currency: 'KWD' },
      { currency: 'KWD', items: [{ itemId: 'ITEM-001', quantity: 2, price: 75_005 }] },
    ],
    [
      'items for nothing',
      { items: [{ ...ITEM, price: 0 }] },
      { items: [{ itemId: 'ITEM-001', quantity: 2, price: 0 }] },
    ],
  ];
  for (const [what, fields, expected] of GIVEN) {
    test(`with ${what} is accepted as given`, async () => {
      assertCreated(await cart.send('create', { order_id: '123', ...fields }));
      const command = theCommand();
      assert.ok(command.kind === 'create');
      assert.deepEqual({ ...command.draft, ...expected }, command.draft);
    });
  }

  const item = (changes: Record<string, unknown>) => ({ items: [ITEM, { ...ITEM, ...changes }] });
  const WRONG: readonly (readonly [string, Record<string, unknown>, readonly string[]])[] = [
    ['neither count nor items', {}, ['number_of_items']],
    ['no items', { number_of_items: 0 }, ['number_of_items']],
    ['too many items', { number_of_items: LIMITS.items + 1 }, ['number_of_items']],
    ['a negative count', { number_of_items: -1 }, ['number_of_items']],
    ['a fraction of items', { number_of_items: 1.5 }, ['number_of_items']],
    ['a count as text', { number_of_items: '3' }, ['number_of_items']],
    ['a count as a boolean', { number_of_items: true }, ['number_of_items']],
    ['a count of null', { number_of_items: null }, ['number_of_items']],
    ['two different counts', { number_of_items: 1, numberOfItems: 2 }, ['number_of_items']],
    ['a count of the same digits as text', { number_of_items: 1, numberOfItems: '1' }, ['number_of_items']],
    ['a count that is not that of its items', { number_of_items: 2, items: [ITEM] }, ['number_of_items']],
    ['an empty list of items', { items: [] }, ['items']],
    ['items that are no list', { items: { 0: ITEM } }, ['items']],
    ['items of null', { items: null }, ['items']],
    ['an item that is no object', { items: [ITEM, 'ITEM-001'] }, ['items.1']],
    ['an item without any field', { items: [{}] }, ['items.0.item_id', 'items.0.quantity', 'items.0.price']],
    ['an item with an empty id', item({ item_id: '' }), ['items.1.item_id']],
    ['an item with a long id', item({ item_id: 'i'.repeat(LIMITS.idLength + 1) }), ['items.1.item_id']],
    ['an item with a number as id', item({ item_id: 1 }), ['items.1.item_id']],
    ['an item with two different ids', item({ itemId: 'another' }), ['items.1.item_id']],
    ['a quantity of 0', item({ quantity: 0 }), ['items.1.quantity']],
    ['a quantity too large', item({ quantity: LIMITS.quantity + 1 }), ['items.1.quantity']],
    ['a quantity as text', item({ quantity: '2' }), ['items.1.quantity']],
    ['a negative price', item({ price: -0.01 }), ['items.1.price']],
    ['a price as text', item({ price: '75' }), ['items.1.price']],
    ['a price of null', item({ price: null }), ['items.1.price']],
    ['a price finer than the currency', item({ price: 75.001 }), ['items.1.price']],
    ['yen with decimals', { ...item({ price: 0.5 }), currency: 'JPY' }, ['items.1.price']],
    ['a price too large', item({ price: 1e300 }), ['items.1.price']],
    ['a total too large', item({ price: 9e12, quantity: LIMITS.quantity }), ['items']],
    ['a customer without a name', { number_of_items: 1, customer_id: '' }, ['customer_id']],
    ['a customer with a long name', { number_of_items: 1, customer_id: 'c'.repeat(129) }, ['customer_id']],
    ['a number as customer', { number_of_items: 1, customer_id: 42 }, ['customer_id']],
    ['two different customers', { number_of_items: 1, customer_id: 'a', customerId: 'b' }, ['customer_id']],
    ['a currency that does not exist', { number_of_items: 1, currency: 'XXX' }, ['currency']],
    ['a currency in lower case', { number_of_items: 1, currency: 'usd' }, ['currency']],
    ['a currency that is no text', { number_of_items: 1, currency: 840 }, ['currency']],
    [
      'several wrong fields',
      { number_of_items: '3', customer_id: 1, currency: '$' },
      ['number_of_items', 'customer_id', 'currency'],
    ],
  ];
  for (const [what, fields, expected] of WRONG) {
    test(`with ${what} is refused, naming ${expected.join(', ')}`, async () => {
      const response = await cart.send('create', { order_id: '123', ...fields });
      assert.deepEqual([wrongFields(response), cart.submitted], [expected, []]);
    });
  }

  test('with an infinite price is refused', async () => {
    const response = await cart.sendText(
      'create',
      '{"order_id":"1","items":[{"item_id":"i","quantity":1,"price":1e999}]}',
    );
    assert.deepEqual(wrongFields(response), ['items.0.price']);
  });

  test('with very many wrong fields names the first twenty', async () => {
    const items = Array.from({ length: LIMITS.items }, () => ({}));
    assert.equal(wrongFields(await cart.send('create', { order_id: '1', items })).length, 20);
  });
});

describe('a status to set', () => {
  for (const each of ORDER_STATUSES) {
    test(`of ${each} is accepted in any case`, async () => {
      for (const given of [each, each.toUpperCase()]) {
        cart.submitted = [];
        assertUpdated(await cart.send('update', { order_id: '123', status: given }));
        const { fingerprint: _, ...command } = theCommand();
        assert.deepEqual(command, { kind: 'update', orderId: 'ORD-123', status: each });
      }
    });
  }

  for (const each of ['', 'lost', ' new', 'canceled', 'x'.repeat(10_000), 1, null, true, ['new'], { status: 'new' }]) {
    test(`of ${JSON.stringify(each).slice(0, 30)} is refused`, async () => {
      const response = await cart.send('update', { order_id: '123', status: each });
      assert.deepEqual([wrongFields(response), cart.submitted], [['status'], []]);
    });
  }
});

describe('the answer', () => {
  const FAILED: readonly (readonly [...Parameters<typeof failed>, number])[] = [
    ['KafkaBrokersUnavailable', 'not_created', 'no broker', 503],
    ['KafkaTimeout', 'unknown', 'late', 503],
    ['ProducerQueueFull', 'not_updated', 'full', 503],
    ['ServiceStopping', 'not_created', 'stopping', 503],
    ['StoreUnavailable', 'unknown', 'disk full', 500],
  ];
  for (const [code, outcome, detail, expected] of FAILED) {
    test(`${code} is ${expected} with the outcome, and with the time to try again`, async () => {
      cart.submit = () => Promise.resolve(failed(code, outcome, detail));
      for (const route of BOTH) {
        const response = await cart.send(route, VALID[route]);
        const body = problemOf(response, code);
        assert.deepEqual([response.statusCode, body['outcome'], body['detail']], [expected, outcome, detail]);
        assert.equal(response.headers['retry-after'], '1');
      }
    });
  }

  const REFUSED: readonly (readonly [ErrorCode, number, readonly Route[]])[] = [
    ['OrderNotFound', 404, ['update']],
    ['OrderAlreadyExists', 409, ['create']],
    ['StatusNotAllowed', 409, ['update']],
    ['IdempotencyKeyReused', 422, BOTH],
  ];
  for (const [code, expected, routes] of REFUSED) {
    test(`${code} is ${expected} with the reason, without an outcome and a time to try again`, async () => {
      cart.submit = () => Promise.resolve({ kind: 'refused', refusal: { code, detail: 'why' } });
      for (const route of routes) {
        const response = await cart.send(route, VALID[route]);
        const body = problemOf(response, code);
        assert.deepEqual([response.statusCode, body['detail']], [expected, 'why']);
        assert.deepEqual(['outcome' in body, 'retry-after' in response.headers], [false, false]);
      }
    });
  }

  test('to an error inside the service is 500, without its details', async () => {
    cart.submit = () => Promise.reject(new Error('SELECT secret'));
    for (const route of BOTH) {
      const response = await cart.send(route, VALID[route]);
      problemOf(response, 'InternalError');
      assert.ok(!response.body.includes('secret'));
    }
  });
});
