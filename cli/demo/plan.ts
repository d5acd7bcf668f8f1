import { generateOrder } from '#cart_service/order_generator.ts';
import type { OrderStatus } from '#kafka_common/models.ts';
import { currencyExponent, fromMinorUnits } from '#kafka_common/money.ts';
import { createRandom } from './seeded_random.ts';
import { type Life, lifeOf, type Mix } from './mix.ts';

/** The plan of each order of a demo. It follows from the seed and the order's number alone, before anything is sent. */

export interface DemoRequest {
  readonly method: 'POST' | 'PUT';
  readonly path: '/create-order' | '/update-order';
  readonly body: Readonly<Record<string, unknown>>;
  readonly idempotencyKey: string;
}

/**
 * How the customer sends a request: once; again after the answer; twice at the same time; or again after giving up the
 * first attempt, which waited `impatientMs`.
 */
export type Manner = 'once' | 'again' | 'at_once' | { readonly impatientMs: number };

export interface Step {
  readonly pauseMs: number;
  readonly request: DemoRequest;
  readonly manner: Manner;
  /** The status of the order after the request; null for a request that must be refused. */
  readonly status: OrderStatus | null;
  /** The expected error answer; null for a request that must succeed. */
  readonly refusal: { readonly status: number; readonly code: string } | null;
}

export interface OrderPlan {
  readonly orderId: string;
  readonly life: Life;
  readonly steps: readonly Step[];
}

export interface PlanOptions {
  readonly seed: string;
  /** The first digits of all order ids. */
  readonly run: string;
  readonly mix: Mix;
  /** Mean time between the steps of an order. */
  readonly pauseMs: number;
}

const WAY: readonly OrderStatus[] = [
  'pending',
  'confirmed',
  'processing',
  'dispatched',
  'shipped',
  'delivered',
  'completed',
];
/** An order can be cancelled after at most this many steps: later its parcel is under way. */
const CANCELLABLE = 3;

/** Digits of an order's number in its id, after those of the run. */
const NUMBER_DIGITS = 9;

export const planOrder = ({ seed, run, mix, pauseMs }: PlanOptions, number: number): OrderPlan => {
  const random = createRandom(`${seed}/${number}`);
  const life = lifeOf(mix, random());
  const digits = `${run}${String(number).padStart(NUMBER_DIGITS, '0')}`;
  const create = createBody(digits, random);
  const statuses = statusesOf(life, random);

  /** Exponentially distributed: long pauses are rare. */
  const pause = (): number => Math.round(-Math.log(1 - random()) * pauseMs);
  const key = (part: string): string => `demo-${digits}-${part}`;
  const step = (request: DemoRequest, status: OrderStatus): Step => ({
    pauseMs: status === 'new' ? 0 : pause(),
    request,
    manner: life === 'retry' ? mannerOf(random) : 'once',
    status,
    refusal: null,
  });

  const steps = [
    step(post(create, key('new')), 'new'),
    ...statuses.map((status) => step(put({ order_id: `ORD-${digits}`, status }, key(status)), status)),
  ];
  return {
    orderId: `ORD-${digits}`,
    life,
    steps: life === 'wrong' ? withWrong(steps, create, key, pause, random) : steps,
  };
};

const createBody = (digits: string, random: () => number): DemoRequest['body'] => {
  const draft = {
    orderId: digits,
    numberOfItems: 1 + Math.floor(random() * 4),
    items: null,
    customerId: null,
    currency: null,
  };
  const { customerId, currency, items } = generateOrder(draft, '', random);
  const exponent = currencyExponent(currency) ?? 0;
  return {
    order_id: digits,
    customer_id: customerId,
    currency,
    items: items.map(({ itemId, quantity, price }) => ({
      item_id: itemId,
      quantity,
      price: fromMinorUnits(price, exponent),
    })),
  };
};

const statusesOf = (life: Life, random: () => number): readonly OrderStatus[] => {
  const way = random() < 0.5 ? WAY : WAY.filter((status) => status !== 'dispatched');
  if (life === 'cancel') return [...way.slice(0, Math.floor(random() * (CANCELLABLE + 1))), 'cancelled'];
  if (life === 'open') return way.slice(0, Math.floor(random() * (way.length - 1)));
  return life === 'wrong' ? way.slice(0, 2) : way;
};

/** A customer of a `retry` life sends about half of the requests only once. */
const mannerOf = (random: () => number): Manner => {
  const [dice, patience] = [random(), random()];
  if (dice < 0.2) return 'again';
  if (dice < 0.4) return 'at_once';
  return dice < 0.6 ? { impatientMs: 1 + Math.floor(patience * 20) } : 'once';
};

/** A request that must be refused. It comes before the order's other requests, or after them. */
interface Wrong {
  readonly when: 'before' | 'after';
  readonly request: (create: DemoRequest['body'], key: (part: string) => string) => DemoRequest;
  readonly status: number;
  readonly code: string;
}

const WRONGS: readonly Wrong[] = [
  {
    when: 'before',
    request: ({ order_id }, key) => post({ order_id }, key('wrong')),
    status: 400,
    code: 'ValidationFailed',
  },
  {
    when: 'before',
    request: ({ order_id }, key) => put({ order_id, status: 'confirmed' }, key('wrong')),
    status: 404,
    code: 'OrderNotFound',
  },
  {
    when: 'after',
    request: ({ order_id }, key) => put({ order_id, status: 'teleported' }, key('wrong')),
    status: 400,
    code: 'ValidationFailed',
  },
  {
    when: 'after',
    request: ({ order_id }, key) => put({ order_id, status: 'new' }, key('wrong')),
    status: 409,
    code: 'StatusNotAllowed',
  },
  {
    when: 'after',
    request: ({ order_id }, key) => post({ order_id, number_of_items: 1 }, key('wrong')),
    status: 409,
    code: 'OrderAlreadyExists',
  },
  {
    when: 'after',
    request: ({ order_id }, key) => post({ order_id, number_of_items: 1 }, key('new')),
    status: 422,
    code: 'IdempotencyKeyReused',
  },
];

const withWrong = (
  steps: readonly Step[],
  create: DemoRequest['body'],
  key: (part: string) => string,
  pause: () => number,
  random: () => number,
): Step[] => {
  const wrong = WRONGS[Math.floor(random() * WRONGS.length)];
  if (wrong === undefined) return [...steps];
  const { when, request, status, code } = wrong;
  const step: Step = {
    pauseMs: when === 'before' ? 0 : pause(),
    request: request(create, key),
    manner: 'once',
    status: null,
    refusal: { status, code },
  };
  return when === 'before' ? [step, ...steps] : [...steps, step];
};

const post = (body: DemoRequest['body'], idempotencyKey: string): DemoRequest => ({
  method: 'POST',
  path: '/create-order',
  body,
  idempotencyKey,
});

const put = (body: DemoRequest['body'], idempotencyKey: string): DemoRequest => ({
  method: 'PUT',
  path: '/update-order',
  body,
  idempotencyKey,
});
