import type { OrderEvent } from '#kafka_common/events.ts';
import { ORDER_STATUSES, type OrderStatus } from '#kafka_common/models.ts';
import type { ErrorCode } from '#service_common/errors.ts';
import type { OrderState } from '#cart_service/store/cart_store.ts';
import { generateOrder, type OrderDraft, type Random } from './order_generator.ts';

/** What clients ask for, and the pure decision what becomes of it. */

export interface CreateOrder {
  readonly kind: 'create';
  readonly orderId: string;
  readonly draft: OrderDraft;
  /** The same for the same request, and for no other. */
  readonly fingerprint: string;
}

export interface UpdateOrder {
  readonly kind: 'update';
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly fingerprint: string;
}

export type Command = CreateOrder | UpdateOrder;

export interface Refusal {
  readonly code: ErrorCode;
  readonly detail: string;
}

export type Decision =
  | { readonly kind: 'event'; readonly event: OrderEvent; readonly state: OrderState }
  /** It is so already: a success that publishes nothing. */
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export interface Circumstances {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly newId: () => string;
  readonly random: Random;
}

const FINAL: readonly OrderStatus[] = ['completed', 'cancelled'];

/** The lifecycle: from each status, the statuses that an update may lead to. */
export const LIFECYCLE: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = Object.fromEntries(
  ORDER_STATUSES.map((from) => [
    from,
    FINAL.includes(from) ? [] : ORDER_STATUSES.filter((to) => to !== 'new' && to !== from),
  ]),
) as Record<OrderStatus, OrderStatus[]>;

/**
 * Decides a command on an order.
 * @param state the order now, or undefined where there is none
 * @param unanswered the fingerprint of the order's create, where its client never got a success for it
 */
export const decide = (
  command: Command,
  state: OrderState | undefined,
  unanswered: string | undefined,
  circumstances: Circumstances,
): Decision =>
  command.kind === 'create'
    ? decideCreate(command, state, unanswered, circumstances)
    : decideUpdate(command, state, circumstances);

const decideCreate = (
  { orderId, draft, fingerprint }: CreateOrder,
  state: OrderState | undefined,
  unanswered: string | undefined,
  { now, newId, random }: Circumstances,
): Decision => {
  if (state !== undefined) {
    // The same request again, after a 503 of unknown outcome or a crash: what it asked for has been done.
    if (unanswered === fingerprint) return { kind: 'unchanged' };
    return refuse('OrderAlreadyExists', `order ${orderId} exists already, with status ${state.status}`);
  }
  const timestamp = new Date(now).toISOString();
  const order = generateOrder(draft, timestamp, random);
  return {
    kind: 'event',
    event: { type: 'ORDER_CREATED', eventId: newId(), timestamp, orderId, version: 1, order },
    state: { orderId, version: 1, status: order.status },
  };
};

const decideUpdate = (
  { orderId, status }: UpdateOrder,
  state: OrderState | undefined,
  { now, newId }: Circumstances,
): Decision => {
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
  const version = state.version + 1;
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

const refuse = (code: ErrorCode, detail: string): Decision => ({ kind: 'refused', refusal: { code, detail } });
