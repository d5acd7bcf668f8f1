import { toCreateOrder, toUpdateOrder } from '#cart_service/app/api/commands.ts';
import type { Answer, CommandRequest } from '#cart_service/requests.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { ERRORS } from '#service_common/errors.ts';
import type { ClientRequest, Exchange, ClientAnswer } from '#tests/checker/evidence.ts';
import { type Operation, SHARED_KEY } from './plan.ts';
import { writeHighVersion, writeNextVersions, writePoison, writeStatusFirst } from './other_producers.ts';
import { changeTopic } from './topic_life.ts';
import { writeTransaction } from './transactions.ts';
import { redrive } from './redrives.ts';
import type { Services } from './services.ts';
import { TOPIC, type World } from './world.ts';

/** The clients of both services, with their requests and answers. */
export interface Clients {
  readonly exchanges: readonly Exchange[];
  /** Begins a planned operation, and repeats it as planned. */
  begin(operation: Operation): void;
  /** After the heal: repeats every request that has not succeeded yet. */
  insist(): void;
  /** Creates an order with a new id in this partition. */
  createFresh(partition: number, body?: 'generated' | 'large'): void;
  /** Requests that wait for an answer, or for their repetition. */
  readonly open: number;
  /** The process of the cart has ended: its open requests get no answer. */
  cartGone(): void;
}

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
/** How often a request is repeated after the heal. */
const INSISTENCE = 5;
const FRESH_ORDERS_FROM = 9_000;
const ITEM = { item_id: 'ITEM-1', quantity: 1, price: 10 };
const LARGE = Array.from({ length: 40 }, (_, n) => ({ ...ITEM, item_id: `ITEM-${n}` }));

type Write = Extract<Operation, { kind: 'create' | 'update' }>;

export const createClients = (world: World, services: () => Services): Clients => {
  const { time, dice, coverage } = world;
  const exchanges: Exchange[] = [];
  /** For each request in the cart's present process: what ends it without an answer. */
  const inside = new Set<() => void>();
  /** Requests whose last answer was lost, or was a 5xx; with the repetitions left. */
  const unsatisfied = new Map<CommandRequest, number>();
  /** The status of the first certain answer, by idempotency key and fingerprint; null before it. */
  const firstAnswers = new Map<string, number | null>();
  let open = 0;
  let fresh = 0;

  const pursue = (request: CommandRequest, repeats: number): void => {
    open += 1;
    unsatisfied.delete(request);
    ask(request, (answer) => {
      open -= 1;
      if (answer !== null && answer.status < 500) return;
      if (repeats > 0) again(request, repeats - 1);
      else unsatisfied.set(request, INSISTENCE);
    });
  };

  const again = (request: CommandRequest, repeats: number): void => {
    open += 1;
    world.after(dice.between('repetition', 50, 1_200), () => {
      open -= 1;
      pursue(request, repeats);
    });
  };

  const ask = (request: CommandRequest, onAnswer: (answer: ClientAnswer | null) => void): void => {
    const asked = askedFor(request);
    const askedAt = time.now;
    let isOver = false;
    const end = (answer: ClientAnswer | null, refusedConnection = false): void => {
      if (isOver) return;
      isOver = true;
      inside.delete(lost);
      const exchange = {
        request: asked,
        askedAt,
        endedAt: time.now,
        answer,
        ...(isLarge(request) && { isLarge: true }),
      };
      if (!isFirstAnswerAgain(request, answer))
        exchanges.push(refusedConnection ? { ...exchange, refusedConnection } : exchange);
      count(answer);
      onAnswer(answer);
    };
    const lost = (): void => end(null);
    const { listening } = services().cart;
    if (listening === null) {
      end(null, true);
      return;
    }
    const { life, program } = listening;
    inside.add(lost);
    time.at(time.now, life, () => {
      void program.submit(request).then((answer) => life.state === 'dead' || end(answerOf(answer)));
    });
  };

  /**
   * An idempotency key brings its first answer again, whatever has happened since. So this says nothing about the
   * order.
   */
  const isFirstAnswerAgain = ({ command, idempotencyKey }: CommandRequest, answer: ClientAnswer | null): boolean => {
    if (idempotencyKey === null) return false;
    const name = `${idempotencyKey} ${command.fingerprint}`;
    const first = firstAnswers.get(name);
    const isDecided = answer !== null && answer.outcome === null;
    firstAnswers.set(name, first ?? (isDecided ? answer.status : null));
    // A refusal may have been stored under the key although its answer was lost.
    return first !== undefined && isDecided && (first === answer.status || answer.status !== 200);
  };

  const count = (answer: ClientAnswer | null): void => {
    coverage.exchanges += 1;
    if (answer === null) coverage['without answer'] += 1;
    else if (answer.status === 200) coverage['answered 200'] += 1;
    else if (answer.code === 'ProducerQueueFull') coverage['refused by a full room'] += 1;
    else if (answer.code === 'IdempotencyKeyReused') coverage['keys used for another request'] += 1;
    else if (answer.outcome === 'unknown') coverage['answered unknown'] += 1;
    else if (answer.outcome !== null) coverage['answered not done'] += 1;
    else coverage['refused by rule'] += 1;
  };

  const endRead = (orderId: string, askedAt: number, status: number): void => {
    const answer = { status, code: null, outcome: null };
    exchanges.push({ request: { kind: 'read', orderId }, askedAt, endedAt: time.now, answer });
    coverage.exchanges += 1;
  };

  const read = (orderId: string): void => {
    const listening = services().order.find((service) => service.listening !== null)?.listening;
    if (!listening) return;
    const askedAt = time.now;
    time.at(time.now, listening.life, () => {
      void listening.program.db.order(orderId).then((order) => endRead(orderId, askedAt, order === null ? 404 : 200));
    });
  };

  return {
    exchanges,
    begin: (operation) => {
      if (operation.kind === 'read') read(orderIdOf(operation.order));
      else if (operation.kind === 'poison') writePoison(world, operation.order);
      else if (operation.kind === 'status_first') writeStatusFirst(world, operation);
      else if (operation.kind === 'other_versions') writeNextVersions(world, operation);
      else if (operation.kind === 'high_version') writeHighVersion(world, operation);
      else if (operation.kind === 'topic') changeTopic(world, operation);
      else if (operation.kind === 'redrive') redrive(world, services(), operation);
      else if (operation.kind === 'transaction') writeTransaction(world, operation);
      else pursue(requestOf(operation), operation.repeats);
    },
    insist: () => {
      for (const [request, repeats] of unsatisfied) again(request, repeats);
    },
    createFresh: (partition, body = 'generated') => {
      const partitions = world.cluster.describe(TOPIC)?.topic.partitions ?? 1;
      do fresh += 1;
      while (partitionOf(orderIdOf(FRESH_ORDERS_FROM + fresh), partitions) !== partition % partitions);
      pursue(requestOf({ kind: 'create', at: 0, order: FRESH_ORDERS_FROM + fresh, body, key: null, repeats: 0 }), 0);
    },
    get open() {
      return open;
    },
    cartGone: () => {
      for (const lost of inside) lost();
    },
  };
};

/** Whether it is the id of an order that was created after the heal. */
export const isFresh = (orderId: string): boolean => Number(orderId.split('-')[1]) > FRESH_ORDERS_FROM;

const orderIdOf = (order: number): string => `ORD-${order + 1}`;

const requestOf = (operation: Write): CommandRequest => {
  const order_id = orderIdOf(operation.order);
  const command =
    operation.kind === 'update'
      ? toUpdateOrder({ order_id, status: operation.status })
      : toCreateOrder(
          operation.body === 'generated'
            ? { order_id, number_of_items: 2 }
            : { order_id, items: operation.body === 'given' ? [ITEM] : LARGE },
        );
  return { command, idempotencyKey: keyOf(operation, order_id), traceparent: TRACEPARENT };
};

const isLarge = ({ command }: CommandRequest): boolean =>
  command.kind === 'create' && command.draft.numberOfItems === LARGE.length;

const keyOf = ({ kind, key }: Write, orderId: string): string | null => {
  if (key === null) return null;
  return key === SHARED_KEY ? 'shared' : `${kind}-${orderId}-${key}`;
};

const askedFor = ({ command, idempotencyKey: key }: CommandRequest): ClientRequest =>
  command.kind === 'create'
    ? { kind: 'create', orderId: command.orderId, body: command.fingerprint, key }
    : { kind: 'update', orderId: command.orderId, status: command.status, key };

/** The answer that the routes of the Cart Service give. */
const answerOf = (answer: Answer): ClientAnswer => {
  if (answer.kind === 'done') return { status: 200, code: null, outcome: null };
  if (answer.kind === 'failed') {
    return { status: ERRORS[answer.code].status, code: answer.code, outcome: answer.outcome };
  }
  const { code } = answer.refusal;
  return { status: ERRORS[code].status, code, outcome: null };
};
