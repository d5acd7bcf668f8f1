import fc from 'fast-check';
import { LIMITS } from '#kafka_common/field_kinds.ts';
import { ORDER_STATUSES, type OrderStatus } from '#kafka_common/models.ts';
import type { Treatment } from './weather.ts';

/** What happens in one run. The details follow from `seed` and from what has happened before. */
export interface Plan {
  readonly seed: number;
  readonly partitions: number;
  readonly nodes: number;
  readonly orderServices: number;
  /** Requests that may wait at once in the Cart Service. */
  readonly queueLimit: number;
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
}

interface Timed {
  /** Virtual ms since the start. */
  readonly at: number;
}

/** What a client or another producer does. `order` is a number below `ORDERS`. The key `SHARED_KEY` is one for all orders. */
export type Operation = Timed &
  (
    | {
        readonly kind: 'create';
        readonly order: number;
        readonly body: 'generated' | 'given' | 'large';
        readonly key: number | null;
        /** How often it is repeated after a 5xx, or without an answer. */
        readonly repeats: number;
      }
    | {
        readonly kind: 'update';
        readonly order: number;
        readonly status: OrderStatus;
        readonly key: number | null;
        readonly repeats: number;
      }
    | { readonly kind: 'read'; readonly order: number }
    /** Another producer writes a message that is not an event. */
    | { readonly kind: 'poison'; readonly order: number }
    /** Another producer writes a status, and its order `gapMs` later. */
    | { readonly kind: 'status_first'; readonly order: number; readonly gapMs: number }
    /** Another producer writes the next versions of an order of the clients. */
    | { readonly kind: 'other_versions'; readonly order: number; readonly statuses: readonly OrderStatus[] }
    /**
     * An administrator adds partitions to the topic, deletes it, deletes it and makes it again, or limits the size of
     * its messages.
     */
    | {
        readonly kind: 'topic';
        readonly change: 'grown' | 'deleted' | 'made again' | 'limited';
        readonly partitions: number;
      }
    /** Held dead letters are published again, as they are or repaired. */
    | { readonly kind: 'redrive'; readonly order: number; readonly repairs: boolean }
    /** Another producer gives an order a version so high that few or none are left. */
    | { readonly kind: 'high_version'; readonly order: number; readonly status: OrderStatus; readonly version: number }
    /** Another producer writes the next versions of orders in a transaction, spread over the `ms` that it is open. */
    | {
        readonly kind: 'transaction';
        readonly end: 'committed' | 'aborted';
        readonly ms: number;
        /** An order from `ORDERS` on is one that no client asks for. */
        readonly writes: readonly { readonly order: number; readonly status: OrderStatus }[];
      }
  );

export type ServiceName = 'cart' | 'order-1' | 'order-2';
type StoreName = 'cart' | 'view';

/** Where a process can be killed: before, during or after a call of a seam. */
export interface CrashPoint {
  readonly call: (typeof CART_CALLS)[number] | (typeof ORDER_CALLS)[number];
  readonly moment: 'before' | 'during' | 'after';
}

/** A fault ends `ms` after it began, or at the heal of all faults. */
export type Fault = Timed & { readonly ms: number } & (
    | {
        readonly kind: 'publish';
        readonly node: number;
        readonly treatment: Treatment['kind'];
        readonly percent: number;
      }
    /** Answers to publishes are slow. @property refuses - whether they are refusals, at the end of the client's patience */
    | { readonly kind: 'slow'; readonly node: number; readonly refuses: boolean }
    /** @property moves - whether other brokers take over its partitions */
    | { readonly kind: 'node'; readonly node: number; readonly state: 'stopped' | 'down'; readonly moves: boolean }
    /** A kill at the given time (`point` null), or at the `nth` call after it; the service starts again `ms` later. */
    | {
        readonly kind: 'crash';
        readonly service: ServiceName;
        readonly point: CrashPoint | null;
        readonly nth: number;
      }
    /** SIGTERM; the service starts again `ms` later. */
    | { readonly kind: 'terminate'; readonly service: ServiceName }
    /** SIGSTOP and SIGCONT. */
    | { readonly kind: 'pause'; readonly service: 'order-1' | 'order-2' }
    | { readonly kind: 'disk'; readonly store: StoreName; readonly trouble: 'full' | 'failing' }
    /**
     * The services of the store are killed and it is restored from a copy. 0 % is an empty store, 100 % the newest
     * copy.
     */
    | { readonly kind: 'restore'; readonly store: StoreName; readonly percent: number }
    | { readonly kind: 'clock'; readonly hours: number }
    | { readonly kind: 'redelivery' }
    /** The service starts `ms` later than the others. */
    | { readonly kind: 'late_start'; readonly service: ServiceName }
  );

/** All faults and operations begin before this time. */
const FAULTS_UNTIL_MS = 5_000;
/** All faults end at this time at the latest. */
export const HEAL_AT_MS = 7_000;
export const ORDERS = 7;

/** Names of the seams' calls, as the simulation uses them. */
const CART_CALLS = [
  'broker: ensure topic',
  'broker: publish',
  'broker: probe',
  'cart store: load',
  'cart store: commit',
  'cart store: outbox',
  'cart store: positions',
] as const;
const ORDER_CALLS = ['broker: committed', 'consumer db: load', 'consumer db: apply', 'consumer db: positions'] as const;

const TREATMENTS = ['refused', 'lost', 'ack_lost', 'late', 'twice', 'partly'] as const;

const upTo = (max: number): fc.Arbitrary<number> => fc.integer({ min: 0, max });

/** On a grid, so that many things happen at the same time. */
const at = upTo(FAULTS_UNTIL_MS / 20).map((n) => n * 20);
const ms = upTo(250).map((n) => n * 20);
/** An idempotency key that clients use for several orders, so that several leaders see it. */
export const SHARED_KEY = 2;
const key = fc.option(fc.constantFrom(0, 0, 1, 1, SHARED_KEY), { freq: 3 });
const repeats = upTo(3);
/** Usually one of two, so that several clients write to it. */
const order = fc.oneof(upTo(1), upTo(ORDERS - 1));
const node = upTo(2);
/** Statuses that end an order are rarer than the others. */
const status = fc.constantFrom(...ORDER_STATUSES, ...ORDER_STATUSES.slice(1, 7), ...ORDER_STATUSES.slice(1, 7));

const constants = <T extends string>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Up to the highest version that an event can have, and beyond it. */
const highVersion = fc.constantFrom(LIMITS.version - 2, LIMITS.version, LIMITS.version + 1, Number.MAX_SAFE_INTEGER);

/** What a transaction writes: half of it to orders that no client asks for. */
const writes = fc.array(
  fc.record({
    order: fc.oneof(
      order,
      upTo(2).map((n) => ORDERS + n),
    ),
    status,
  }),
  {
    minLength: 1,
    maxLength: 6,
    size: 'max',
  },
);

const statuses = fc.array(status, { minLength: 1, maxLength: 3, size: 'max' });

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('create'),
      at,
      order,
      body: constants('generated', 'given', 'large'),
      key,
      repeats,
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('update'),
      at,
      order,
      status,
      key,
      repeats,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read'), at, order }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('poison'), at, order }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('other_versions'), at, order, statuses }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('redrive'), at, order, repairs: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('high_version'), at, order, status, version: highVersion }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('transaction'), at, end: constants('committed', 'aborted'), ms, writes }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('status_first'), at, order, gapMs: upTo(75).map((n) => n * 20) }),
  },
);

const topicChanges = (...changes: readonly Extract<Operation, { kind: 'topic' }>['change'][]) =>
  fc.array(
    fc.record({
      kind: fc.constant('topic'),
      at,
      change: constants(...changes),
      partitions: fc.integer({ min: 1, max: 4 }),
    }),
    { minLength: 1, maxLength: 3, size: 'max' },
  );

/** Rarely a deletion: after it the log is gone that most rules judge by. */
const topicLife: fc.Arbitrary<readonly Operation[]> = fc.oneof(
  { weight: 8, arbitrary: fc.constant([]) },
  { weight: 1, arbitrary: topicChanges('grown', 'grown', 'limited') },
  { weight: 1, arbitrary: topicChanges('limited') },
  { weight: 1, arbitrary: topicChanges('grown', 'deleted', 'made again') },
);

const operations: fc.Arbitrary<readonly Operation[]> = fc
  .tuple(fc.array(operation, { maxLength: 44, size: 'max' }), topicLife)
  .map(([usual, ofTopic]) => [...usual, ...ofTopic]);

/** Usually a call; null: the given time. */
const pointAt = (calls: readonly CrashPoint['call'][]): fc.Arbitrary<CrashPoint | null> =>
  fc.option(fc.record({ call: fc.constantFrom(...calls), moment: constants('before', 'during', 'after') }), {
    freq: 5,
  });

const service = constants('cart', 'order-1', 'order-2');
const store = constants('cart', 'view');
const timed = { at, ms };

const fault: fc.Arbitrary<Fault> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('publish'),
      ...timed,
      node,
      treatment: constants(...TREATMENTS),
      percent: fc.constantFrom(40, 80, 100),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('slow'), ...timed, node, refuses: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('node'),
      ...timed,
      node,
      state: constants('stopped', 'down'),
      moves: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('crash'),
      ...timed,
      service: constants('cart'),
      point: pointAt(CART_CALLS),
      nth: upTo(3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('crash'),
      ...timed,
      service: constants('order-1', 'order-2'),
      point: pointAt(ORDER_CALLS),
      nth: upTo(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('terminate'), ...timed, service }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pause'), ...timed, service: constants('order-1', 'order-2') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('disk'), ...timed, store, trouble: constants('full', 'failing') }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('restore'),
      ...timed,
      store,
      percent: fc.constantFrom(0, 25, 50, 75, 100),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('clock'), ...timed, hours: fc.constantFrom(-87_600, -1, 1, 87_600) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('redelivery'), ...timed }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('late_start'), at: fc.constant(0), ms, service }) },
);

/** Without fast-check's bias to small values: each seed gives one plan, and plans of all sizes are needed. */
export const plans: fc.Arbitrary<Plan> = fc.noBias(
  fc.record({
    seed: fc.nat(),
    partitions: fc.integer({ min: 1, max: 4 }),
    nodes: fc.integer({ min: 1, max: 3 }),
    orderServices: fc.integer({ min: 1, max: 2 }),
    queueLimit: fc.constantFrom(2, 4, 1_000, 1_000, 1_000),
    operations,
    faults: fc.array(fault, { maxLength: 8, size: 'max' }),
  }),
);
