import { LIMITS } from '#kafka_common/field_kinds.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { ORDER_STATUSES, type OrderStatus } from '#kafka_common/models.ts';
import type { ErrorCode } from '#service_common/errors.ts';
import { generateOrder, type OrderDraft, type Random } from './order_generator.ts';

/** The commands of clients, and the pure decision on each: an event, nothing to change, or a refusal. */

export interface CreateOrder {
  readonly kind: 'create';
  readonly orderId: string;
  readonly draft: OrderDraft;
  /** Equal for equal requests, different for all others. */
  readonly fingerprint: string;
}

export interface UpdateOrder {
  readonly kind: 'update';
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly fingerprint: string;
}

export type Command = CreateOrder | UpdateOrder;

/** What the Cart Service must know of an order to decide the next command on it. */
export interface OrderState {
  readonly orderId: string;
  /** The version of its last event, published or in the outbox. */
  readonly version: number;
  readonly status: OrderStatus;
}

export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
}

export type Decision =
  { readonly kind: 'event'; readonly event: OrderEvent; readonly state: OrderState } | DecisionWithoutEvent;

export type DecisionWithoutEvent =
  /** The order is as asked for already, or the same request has taken effect before: a success that publishes nothing. */
  { readonly kind: 'unchanged' } | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What a decision takes from outside: the clock, ids and chance. */
export interface Circumstances {
  /** Ms since 1970. */
  readonly now: number;
  readonly newId: () => string;
  readonly random: Random;
}

/** The version of the last event that an order can have: the largest 32-bit integer, so that every consumer can hold it. */
export const MAX_VERSION = LIMITS.version;

const FINAL: readonly OrderStatus[] = ['completed', 'cancelled'];

/** The lifecycle: the statuses that an update may lead to, by the present status. */
export const LIFECYCLE: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = Object.fromEntries(
  ORDER_STATUSES.map((from) => [
    from,
    FINAL.includes(from) ? [] : ORDER_STATUSES.filter((to) => to !== 'new' && to !== from),
  ]),
) as Record<OrderStatus, OrderStatus[]>;

/**
 * Decides a command on an order.
 * @param state the order now; undefined if there is none
 * @param isRepetition whether the same request took effect before, and its client never got a success for it
 */
export const decide = (
  command: Command,
  state: OrderState | undefined,
  isRepetition: boolean,
  circumstances: Circumstances,
): Decision => {
  const decided = decideWithoutEvent(command, state, isRepetition);
  if (decided !== null) return decided;
  return command.kind === 'create'
    ? createdBy(command, circumstances)
    : updatedBy(command, state?.version ?? 0, circumstances);
};

/** As `decide`, but null if the command needs an event. */
export const decideWithoutEvent = (
  command: Command,
  state: OrderState | undefined,
  isRepetition: boolean,
): DecisionWithoutEvent | null => {
  // After a 503 of unknown outcome or after a crash: it is done already, whatever has happened to the order since.
  if (state !== undefined && isRepetition) return { kind: 'unchanged' };
  if (command.kind === 'update') return refusedOrUnchanged(command, state);
  if (state === undefined) return null;
  return refuse('OrderAlreadyExists', `order ${command.orderId} exists already, with status ${state.status}`);
};

const createdBy = ({ orderId, draft }: CreateOrder, { now, newId, random }: Circumstances): Decision => {
  const timestamp = new Date(now).toISOString();
  const order = generateOrder(draft, timestamp, random);
  return {
    kind: 'event',
    event: { type: 'ORDER_CREATED', eventId: newId(), timestamp, orderId, version: 1, order },
    state: { orderId, version: 1, status: order.status },
  };
};

const refusedOrUnchanged = (
  { orderId, status }: UpdateOrder,
  state: OrderState | undefined,
): DecisionWithoutEvent | null => {
  if (state === undefined) return refuse('OrderNotFound', `there is no order ${orderId}; create it first`);
  if (state.status === status) return { kind: 'unchanged' };
  const allowed = LIFECYCLE[state.status];
  if (!allowed.includes(status)) {
    const choice = allowed.length === 0 ? 'nothing, it is final' : allowed.join(', ');
    return refuse(
      'StatusNotAllowed',
      `order ${orderId} is ${state.status} and cannot become ${status}; it can become: ${choice}`,
    );
  }
  if (state.version < MAX_VERSION) return null;
  return refuse(
    'StatusNotAllowed',
    `order ${orderId} has version ${MAX_VERSION}, the last one; it cannot change again`,
  );
};

const updatedBy = (
  { orderId, status }: UpdateOrder,
  previousVersion: number,
  { now, newId }: Circumstances,
): Decision => {
  const version = previousVersion + 1;
  return {
    kind: 'event',
    event: {
      type: 'ORDER_STATUS_UPDATED',
      eventId: newId(),
      timestamp: new Date(now).toISOString(),
      orderId,
      version,
      status,
    },
    state: { orderId, version, status },
  };
};

const refuse = (code: ErrorCode, detail: string): DecisionWithoutEvent => ({
  kind: 'refused',
  refusal: { code, detail },
});
