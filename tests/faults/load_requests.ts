import type { OrderStatus } from '#kafka_common/models.ts';
import type { ClientAnswer, ClientRequest } from '#tests/checker/evidence.ts';
import type { HttpRequest } from './http_client.ts';

/** A request of a client, which stays the same when it is repeated. */
export interface Job {
  readonly request: ClientRequest;
  readonly http: HttpRequest;
  /** Whether the client repeats it after a 503 or without an answer. */
  readonly repeats: boolean;
  repetitions: number;
}

/** The next requests of the clients. Updates and reads are about orders that exist, or may exist. */
export interface LoadRequests {
  next(): Job;
  ended(job: Job, answer: ClientAnswer | null): void;
  /** Forgets every order created so far. */
  leaveOrders(): void;
  readonly nextOrderNumber: number;
}

/** Orders of rows have lower numbers, so the number shows whether an order belongs to the load. */
const FIRST_ORDER_NUMBER = 1_000_000_000;

const CREATES = 0.4;
const UPDATES = 0.3;
const REPEATERS = 0.1;
const MAX_KNOWN_ORDERS = 5_000;
/** With fewer known orders, new ones are created instead of updating and reading the same few. */
const LEAST_KNOWN_ORDERS = 50;
/** The share of updates that do not wait for the answer to an earlier update of the same order. */
const IMPATIENT = 0.1;

/** Each status is sent once per order, so each event in the log belongs to one request. */
const STATUSES: readonly OrderStatus[] = [
  'pending',
  'confirmed',
  'processing',
  'dispatched',
  'shipped',
  'delivered',
  'completed',
];

interface KnownOrder {
  readonly orderId: string;
  nextStatus: number;
  openUpdates: number;
}

export const createLoadRequests = (random: () => number): LoadRequests => {
  let orders: KnownOrder[] = [];
  let byId = new Map<string, KnownOrder>();
  let nextOrderNumber = FIRST_ORDER_NUMBER;
  let firstOfPresent = nextOrderNumber;

  const create = (): Job => {
    const number = nextOrderNumber++;
    const body = `{"order_id":"${number}","number_of_items":${1 + (number % 3)}}`;
    return job({ kind: 'create', orderId: `ORD-${number}`, body }, { method: 'POST', path: '/create-order', body });
  };

  const update = (known: KnownOrder): Job => {
    const { orderId } = known;
    const status = STATUSES[known.nextStatus++] ?? 'completed';
    known.openUpdates += 1;
    if (known.nextStatus === STATUSES.length) forget(known);
    const body = `{"order_id":"${orderId}","status":"${status}"}`;
    return job({ kind: 'update', orderId, status }, { method: 'PUT', path: '/update-order', body });
  };

  const read = ({ orderId }: KnownOrder): Job => {
    const path = `/order-details?orderId=${orderId}`;
    const http = { method: 'GET', path, body: null, idempotencyKey: null } as const;
    return { request: { kind: 'read', orderId }, http, repeats: false, repetitions: 0 };
  };

  const job = (asked: ClientRequest, http: Omit<HttpRequest, 'idempotencyKey'>): Job => {
    const repeats = random() < REPEATERS;
    const idempotencyKey = repeats && random() < 0.5 ? `load-${Math.floor(random() * 2 ** 48).toString(36)}` : null;
    const request = asked.kind === 'read' ? asked : { ...asked, key: idempotencyKey };
    return { request, http: { ...http, idempotencyKey }, repeats, repetitions: 0 };
  };

  const forget = (known: KnownOrder): void => {
    const last = orders.pop();
    const index = orders.indexOf(known);
    if (last !== undefined && index >= 0) orders[index] = last;
  };

  const learn = (orderId: string): void => {
    const known = { orderId, nextStatus: 0, openUpdates: 0 };
    byId.set(orderId, known);
    if (orders.length < MAX_KNOWN_ORDERS) orders.push(known);
    else orders[Math.floor(random() * orders.length)] = known;
  };

  return {
    next() {
      const dice = random();
      const known = orders.length < LEAST_KNOWN_ORDERS ? undefined : orders[Math.floor(random() * orders.length)];
      if (known === undefined || dice < CREATES) return create();
      if (dice >= CREATES + UPDATES) return read(known);
      return known.openUpdates === 0 || random() < IMPATIENT ? update(known) : create();
    },
    ended({ request, repetitions }, answer) {
      const known = byId.get(request.orderId);
      if (request.kind === 'update' && known !== undefined && repetitions === 0) known.openUpdates -= 1;
      const isOfPresent = Number(request.orderId.slice('ORD-'.length)) >= firstOfPresent;
      if (request.kind === 'create' && known === undefined && isOfPresent && mayExist(answer)) learn(request.orderId);
    },
    leaveOrders() {
      orders = [];
      byId = new Map();
      firstOfPresent = nextOrderNumber;
    },
    get nextOrderNumber() {
      return nextOrderNumber;
    },
  };
};

/** After `unknown`, the order may exist: clients ask for it too. */
const mayExist = (answer: ClientAnswer | null): boolean => answer?.status === 200 || answer?.outcome === 'unknown';
