import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Order, OrderStatus } from '#kafka_common/models.ts';
import { agreementRules } from './agreement.ts';
import { attemptRules } from './attempts.ts';
import { check } from './check.ts';
import type { ClientRequest, Evidence, Exchange, LogEntry, LoggedEvent } from './evidence.ts';
import { promiseRules } from './promises.ts';
import { runningRules } from './running.ts';
import { sharedLogRules } from './shared_log.ts';

const orderOf = (orderId: string): Order => ({
  orderId,
  customerId: 'CUST-1',
  orderDate: '2026-01-18T12:00:00.000Z',
  items: [{ itemId: 'ITEM-1', quantity: 1, price: 100 }],
  totalAmount: 100,
  currency: 'USD',
  status: 'new',
});

const exchange = (
  request: ClientRequest,
  askedAt: number,
  status: number | null,
  outcome: string | null = null,
): Exchange => ({
  request,
  askedAt,
  endedAt: askedAt + 10,
  answer: status === null ? null : { status, code: null, outcome },
});
const create = (askedAt: number, status: number | null, outcome?: string): Exchange =>
  exchange({ kind: 'create', orderId: 'ORD-1', body: 'a' }, askedAt, status, outcome);
const update = (askedAt: number, to: OrderStatus, status: number | null, outcome?: string): Exchange =>
  exchange({ kind: 'update', orderId: 'ORD-1', status: to }, askedAt, status, outcome);

const keyed = (of: Exchange, key: string): Exchange =>
  of.request.kind === 'read' ? of : { ...of, request: { ...of.request, key } };

const entry = (offset: number, event: Partial<LoggedEvent> | null, writtenAt: number | null = null): LogEntry => ({
  partition: 0,
  offset,
  writtenAt,
  event: event && {
    eventId: `e${offset}`,
    orderId: 'ORD-1',
    version: offset + 1,
    status: 'confirmed',
    order: null,
    ...event,
  },
});
const created = entry(0, { status: 'new', order: orderOf('ORD-1') }, 5);
const confirmed = entry(1, {}, 25);

/** Evidence without a flaw: one order, created and confirmed. */
const sound: Evidence = {
  exchanges: [create(0, 200), update(20, 'confirmed', 200)],
  log: [created, confirmed],
  cart: { orders: [{ orderId: 'ORD-1', version: 2, status: 'confirmed' }], outbox: [] },
  view: {
    orders: [{ orderId: 'ORD-1', version: 2, status: 'confirmed', order: orderOf('ORD-1') }],
    listed: ['ORD-1'],
    pending: [],
    deadLetters: [],
  },
  processes: [{ name: 'cart_service', crashes: [], peakResidentBytes: 100_000_000 }],
  heals: [{ at: 100, first200At: 200, agreedAt: 300 }],
  commits: [{ partition: 0, next: 2, viewNext: 2 }],
  limits: {
    answerMs: 5_500,
    first200Ms: 5_000,
    agreeMs: 10_000,
    residentBytes: 256_000_000,
    clockMs: 2,
    noticeMs: 3_000,
  },
};

/** Only one create, which was answered `not_created`. */
const refused = { exchanges: [create(0, 503, 'not_created')], log: [], cart: { orders: [], outbox: [] } };
const nothing: NonNullable<Evidence['view']> = { orders: [], listed: [], pending: [], deadLetters: [] };
const seen = (view: Partial<NonNullable<Evidence['view']>['orders'][number]>): Evidence['view'] =>
  sound.view && { ...sound.view, orders: sound.view.orders.map((order) => ({ ...order, ...view })) };

const broken: readonly (readonly [name: string, flaw: Partial<Evidence>])[] = [
  [
    'I6 a request that could not be planned failed others',
    {
      exchanges: [20, 20].map((at) => ({
        ...update(at, 'confirmed', 500),
        answer: { status: 500, code: 'StoreUnavailable', outcome: 'unknown' },
      })),
      planningFaults: [30],
    },
  ],
  [
    'I8 a request was refused though nothing failed',
    { exchanges: [create(0, 200), update(40, 'shipped', 503, 'not_updated')], calmFrom: 30 },
  ],
  ['I9 a redrive published letters that came after it began', { redrives: [{ until: 4, published: [3, 4, 5] }] }],
  ['I1 an order answered 200 is not in the log', { log: [], view: nothing, cart: null }],
  ['I1 a status answered 200 is not in the log', { log: [created] }],
  ['I1 a version is missing from the log', { log: [created, entry(2, { version: 3 })] }],
  ['I1 an order answered 200 is not known to the Cart Service', { cart: { orders: [], outbox: [] } }],
  [
    'I1 an order answered 200 is not known to the Cart Service',
    { exchanges: [create(0, 200), update(20, 'confirmed', 404)] },
  ],
  ['I1 an order answered 200 is not in the view', { view: nothing }],
  [
    'I2 an order was created by two events',
    { log: [created, confirmed, entry(2, { version: 3, order: orderOf('ORD-1') })] },
  ],
  ['I2 two events have the same version', { log: [created, confirmed, entry(2, { version: 2, status: 'shipped' })] }],
  [
    'I2 two creates of one order were answered 200, though no answer was uncertain',
    { exchanges: [create(0, 200), create(1, 200)] },
  ],
  ['I3 the view holds what the log does not', { exchanges: [], log: [], cart: null }],
  ['I3 an order of the log is not in the view', { exchanges: [], view: nothing }],
  ['I3 the view of an order is not the fold of the log', { view: seen({ status: 'new' }) }],
  ['I3 the view of an order is not the fold of the log', { view: seen({ version: 1 }) }],
  ['I3 the view of an order is not the fold of the log', { view: seen({ order: orderOf('ORD-2') }) }],
  ['I3 the listing does not hold each order once', { view: sound.view && { ...sound.view, listed: [] } }],
  [
    'I3 the listing does not hold each order once',
    { view: sound.view && { ...sound.view, listed: ['ORD-1', 'ORD-1'] } },
  ],
  ['I3 the dead letters are not the unreadable messages, each once', { log: [created, confirmed, entry(2, null)] }],
  [
    'I3 the dead letters are not the unreadable messages, each once',
    { view: sound.view && { ...sound.view, deadLetters: [{ partition: 0, offset: 0 }] } },
  ],
  [
    'I3 the group was told of an offset that the view had not reached',
    { commits: [{ partition: 0, next: 2, viewNext: 1 }] },
  ],
  [
    'I4 the Cart Service and the log do not agree',
    { cart: { orders: [{ orderId: 'ORD-1', version: 3, status: 'shipped' }], outbox: [] } },
  ],
  [
    'I4 the outbox did not become empty',
    { cart: sound.cart && { ...sound.cart, outbox: [{ orderId: 'ORD-1', eventId: 'e1' }] } },
  ],
  [
    'I4 cart and view did not agree in time after the heal',
    { heals: [{ at: 100, first200At: 200, agreedAt: 20_000 }] },
  ],
  ['I4 cart and view did not agree in time after the heal', { heals: [{ at: 100, first200At: 200, agreedAt: null }] }],
  [
    'I5 a create answered not_created has appeared',
    { exchanges: [create(0, 503, 'not_created')], log: [created, confirmed] },
  ],
  ['I5 a create answered not_created has appeared', { ...refused, cart: sound.cart, view: nothing }],
  [
    'I5 an update answered not_updated has appeared',
    { exchanges: [create(0, 200), update(20, 'confirmed', 503, 'not_updated')] },
  ],
  ['I5 a create repeated after unknown was answered 409', { exchanges: [create(0, 503, 'unknown'), create(20, 409)] }],
  // Kafka stopped, went on, and was killed: the event of the first attempt is in the log by then.
  [
    'I5 a request that had taken effect was answered that nothing was done',
    { exchanges: [create(0, 503, 'unknown'), create(20, 503, 'not_created'), create(40, 200)] },
  ],
  [
    'I5 a request that had taken effect was answered that nothing was done',
    { exchanges: [create(0, 200), create(20, 503, 'not_created')] },
  ],
  [
    'I5 a request that had taken effect was answered that nothing was done',
    {
      exchanges: [
        create(0, 200),
        keyed(update(20, 'confirmed', 200), 'a'),
        update(40, 'shipped', 200),
        keyed(update(60, 'confirmed', 503, 'not_updated'), 'a'),
      ],
    },
  ],
  [
    'I5 a request that had taken effect was answered that nothing was done',
    {
      exchanges: [create(0, 200), update(20, 'confirmed', 503, 'unknown'), update(40, 'confirmed', 503, 'not_updated')],
    },
  ],
  [
    'I5 an update repeated after unknown was published twice',
    {
      exchanges: [
        create(0, 200),
        update(20, 'confirmed', 503, 'unknown'),
        update(30, 'shipped', 200),
        update(60, 'confirmed', 200),
      ],
      log: [created, confirmed, entry(2, { status: 'shipped' }, 35), entry(3, { status: 'confirmed' }, 65)],
    },
  ],
  [
    'I5 an update repeated after unknown was answered 409',
    {
      exchanges: [
        create(0, 200),
        update(20, 'confirmed', 503, 'unknown'),
        update(40, 'cancelled', 200),
        { ...update(60, 'confirmed', 409), answer: { status: 409, code: 'StatusNotAllowed', outcome: null } },
      ],
      log: [created, confirmed, entry(2, { status: 'cancelled' }, 45)],
    },
  ],
  ['I6 a service has crashed', { processes: [{ name: 'cart_service', crashes: ['code 1'], peakResidentBytes: 0 }] }],
  [
    'I6 a service used too much memory',
    { processes: [{ name: 'cart_service', crashes: [], peakResidentBytes: 300_000_000 }] },
  ],
  ['I6 an answer was a fault of the service', { exchanges: [create(0, 200), update(20, 'confirmed', 500)] }],
  ['I7 a 200 was answered before the log took its event', { log: [{ ...created, writtenAt: 13 }, confirmed] }],
  ['I7 a 200 was answered before the log took its event', { log: [created, { ...confirmed, writtenAt: 33 }] }],
  ['I7 a request was not answered in time', { exchanges: [{ ...create(0, 200), endedAt: 5_600 }] }],
  ['I7 a request was not answered in time', { exchanges: [{ ...create(0, null), endedAt: 20_000 }] }],
  ['I8 no write was answered 200 in time after the heal', { heals: [{ at: 100, first200At: null, agreedAt: 300 }] }],
  ['I8 no write was answered 200 in time after the heal', { heals: [{ at: 100, first200At: 5_200, agreedAt: 300 }] }],
  [
    'I9 an aborted record had an effect',
    { aborted: [entry(2, { version: 3, status: 'cancelled' })], view: seen({ version: 3, status: 'cancelled' }) },
  ],
  [
    'I9 an aborted record had an effect',
    {
      aborted: [entry(2, { version: 3, status: 'cancelled' })],
      cart: { orders: [{ orderId: 'ORD-1', version: 3, status: 'cancelled' }], outbox: [] },
    },
  ],
  [
    'I9 a request was refused because of an aborted record',
    {
      exchanges: [{ ...create(0, 409), answer: { status: 409, code: 'OrderAlreadyExists', outcome: null } }],
      log: [],
      aborted: [created],
      cart: null,
      view: nothing,
    },
  ],
  [
    'I9 the history and the dead letters are not the committed records, each once',
    { view: sound.view && { ...sound.view, history: [{ partition: 0, offset: 0 }] } },
  ],
  [
    'I9 the history and the dead letters are not the committed records, each once',
    { view: sound.view && { ...sound.view, history: [0, 1, 2].map((offset) => ({ partition: 0, offset })) } },
  ],
  [
    'I9 an event of the Cart Service cannot be read',
    {
      log: [created, confirmed, { ...entry(2, null), isOwn: true }],
      view: sound.view && { ...sound.view, deadLetters: [{ partition: 0, offset: 2 }] },
    },
  ],
  ['I9 the Cart Service stayed ready without a leader', { readyWithout: [{ leader: 0, downMs: 4_000 }] }],
];

const allowed: readonly (readonly [name: string, evidence: Partial<Evidence>])[] = [
  [
    'two clients that repeat an update at the same time, and get a 200 each for its own event',
    {
      exchanges: [
        create(0, 200),
        update(20, 'confirmed', 503, 'unknown'),
        update(60, 'confirmed', 200),
        update(60, 'shipped', 200),
        update(61, 'confirmed', 200),
      ],
      log: [created, entry(1, {}, 62), entry(2, { status: 'shipped' }, 63), entry(3, { status: 'confirmed' }, 64)],
      cart: { orders: [{ orderId: 'ORD-1', version: 4, status: 'confirmed' }], outbox: [] },
      view: seen({ version: 4 }),
      commits: [{ partition: 0, next: 4, viewNext: 4 }],
    },
  ],
  ['one order, created and confirmed', {}],
  [
    'an event that the log holds twice, with the same id',
    { log: [created, confirmed, entry(2, { ...confirmed.event })] },
  ],
  [
    'an event that comes late',
    {
      log: [
        { ...confirmed, offset: 0 },
        { ...created, offset: 1 },
      ],
    },
  ],
  ['a create answered not_created that left nothing', { ...refused, view: nothing }],
  [
    'a create answered unknown that left nothing',
    { ...refused, exchanges: [create(0, 503, 'unknown')], view: nothing },
  ],
  ['a create answered unknown that has appeared', { exchanges: [create(0, 503, 'unknown')] }],
  [
    'an update without a key that was done, and is not done again',
    {
      exchanges: [create(0, 200), update(20, 'confirmed', 200), update(40, 'confirmed', 503, 'not_updated')],
    },
  ],
  ['a create answered unknown, then 200', { exchanges: [create(0, 503, 'unknown'), create(20, 200)] }],
  ['a create answered not_created, then 200', { exchanges: [create(0, 503, 'not_created'), create(20, 200)] }],
  ['a create whose answer was lost, then 409', { exchanges: [create(0, null), create(20, 409)] }],
  ['a create answered 200, then 409', { exchanges: [create(0, 200), create(20, 409)] }],
  [
    'the first answer to a key, given again after the order was created',
    {
      exchanges: [
        keyed(update(-20, 'confirmed', null), 'k'),
        create(0, 200),
        keyed(update(20, 'confirmed', 404), 'k'),
        update(40, 'confirmed', 200),
      ],
    },
  ],
  [
    'an update answered not_updated, then 200',
    { exchanges: [create(0, 200), update(20, 'confirmed', 503, 'not_updated'), update(40, 'confirmed', 200)] },
  ],
  [
    'an unreadable message that became a dead letter',
    {
      log: [created, confirmed, entry(2, null)],
      view: sound.view && { ...sound.view, deadLetters: [{ partition: 0, offset: 2 }] },
    },
  ],
  [
    'a status that waits for its order',
    {
      exchanges: [],
      log: [confirmed],
      cart: null,
      view: { ...nothing, pending: [{ orderId: 'ORD-1', version: 2, status: 'confirmed' }] },
    },
  ],
  [
    'aborted records between those of the order',
    {
      log: [created, { ...confirmed, offset: 3 }],
      aborted: [entry(1, { version: 2, status: 'cancelled' })],
      view: sound.view && { ...sound.view, history: [0, 3].map((offset) => ({ partition: 0, offset })) },
    },
  ],
  [
    'a version that another producer has left out',
    {
      log: [created, confirmed, entry(2, { version: 9, status: 'shipped', isForeign: true })],
      cart: { orders: [{ orderId: 'ORD-1', version: 9, status: 'shipped' }], outbox: [] },
      view: seen({ version: 9, status: 'shipped' }),
    },
  ],
  ['evidence without the stores', { cart: null, view: null }],
];

describe('the checker', () => {
  for (const [name, flaw] of broken) {
    test(`finds ${name}: ${JSON.stringify(flaw).slice(0, 60)}`, () => {
      const found = check({ ...sound, ...flaw });
      assert.ok(
        found.some((violation) => `${violation.invariant} ${violation.name}` === name),
        `found ${found.map((violation) => violation.name).join('; ') || 'nothing'}`,
      );
    });
  }

  for (const [name, evidence] of allowed) {
    test(`accepts ${name}`, () => {
      // A status without its create breaks I1, but it is allowed from other producers: without a cart, I1 is left out.
      const found = check({ ...sound, ...evidence }).filter((v) => evidence.cart !== null || v.invariant !== 'I1');
      assert.deepEqual(found, []);
    });
  }

  test('has a broken example above for each of its rules', () => {
    const rules = [
      ...promiseRules,
      ...attemptRules,
      ...agreementRules.orders,
      ...agreementRules.system,
      ...runningRules.orders,
      ...runningRules.system,
      ...sharedLogRules.orders,
      ...sharedLogRules.system,
    ];
    const names = new Set(rules.map(({ invariant, name }) => `${invariant} ${name}`));
    assert.deepEqual(new Set(broken.map(([name]) => name)), names);
  });

  test('gives the story of a violation: the exchanges, the log, and each store', () => {
    const [violation] = check({ ...sound, log: [created, confirmed, entry(2, { version: 2, status: 'shipped' })] });
    assert.equal(
      violation?.story,
      [
        'I2: two events have the same version',
        'order ORD-1',
        '  asked 0.0 ms create -> 200 after 10.0 ms',
        '        20.0 ms update to confirmed -> 200 after 10.0 ms',
        '  log   0:0 version 1 created, new, event e0 at 5.0 ms',
        '        0:1 version 2 status confirmed, event e1 at 25.0 ms',
        '        0:2 version 2 status shipped, event e2',
        '  cart  version 2, confirmed',
        '  view  version 2, confirmed',
      ].join('\n'),
    );
  });
});
