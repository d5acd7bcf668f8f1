import Type, { type Static } from 'typebox';
import { canonicalOrderId, ORDER_ID, STATUS } from '#kafka_common/models.ts';
import { Problem } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import type { ConsumerDb, StoredEvent } from '#order_service/consumer_db.ts';
import { Instant, limitOf, oneOf, orNull, Place, toInstant } from './answer_fields.ts';
import { fromSequenceCursor, Next, SequenceCursor } from './cursors.ts';
import { OrderIdParam } from './order_answer.ts';

/** The events of one order. */

const HistoryQuery = Type.Object({ after: SequenceCursor, limit: limitOf(100) });

const HistoryEvent = Type.Object(
  {
    sequence: Type.Integer({
      minimum: 0,
      description: 'Counts the events of all orders, in the order they were applied',
    }),
    type: oneOf(['ORDER_CREATED', 'ORDER_STATUS_UPDATED']),
    version: orNull(Type.Integer({ minimum: 0 }), { description: 'null if its producer does not count versions' }),
    status: STATUS.shown,
    timestamp: orNull(Instant, { description: 'When it happened' }),
    partition: Place,
    offset: Place,
    outcome: oneOf(['applied', 'duplicate', 'late', 'waiting'], {
      description:
        '`duplicate`: applied before, so ignored. `late`: newer events had been applied, so ignored. `waiting`: came before its order',
    }),
  },
  { title: 'HistoryEvent' },
);

export type HistoryEvent = Static<typeof HistoryEvent>;

export const EXAMPLE_EVENT: HistoryEvent = {
  sequence: 7,
  type: 'ORDER_CREATED',
  version: 1,
  status: 'new',
  timestamp: '2026-01-18T12:00:00.000Z',
  partition: 0,
  offset: 41,
  outcome: 'applied',
};

export const OrderHistory = Type.Object(
  { orderId: ORDER_ID.shown, events: Type.Array(HistoryEvent), next: Next },
  {
    title: 'OrderHistory',
    description: 'Newest first',
    examples: [{ orderId: 'ORD-123', events: [EXAMPLE_EVENT], next: null }],
  },
);

export const addOrderHistory = (app: HttpApp, { db }: { readonly db: Pick<ConsumerDb, 'history'> }): void => {
  app.get(
    '/orders/:orderId/events',
    {
      config: { problems: ['ValidationFailed', 'OrderNotFound', 'UriTooLong'] },
      schema: {
        operationId: 'getOrderEvents',
        tags: ['orders'],
        summary: 'The events of an order, each with its place in the topic and its outcome',
        params: Type.Object({ orderId: OrderIdParam }),
        querystring: HistoryQuery,
        response: { 200: OrderHistory },
      },
    },
    async ({ params, query }) => {
      const orderId = canonicalOrderId(params.orderId) ?? params.orderId;
      const limit = Number(query.limit);
      const events = await db.history(orderId, fromSequenceCursor(query.after), limit);
      if (events === null) throw new Problem('OrderNotFound', `no event of order ${orderId} is known`);
      const last = events.at(-1);
      const next = last === undefined || events.length < limit ? null : String(last.sequence);
      return { orderId, events: presentHistory(events), next };
    },
  );
};

/** Shows an ignored event as `late` if these events, newest first, do not hold an earlier one of its version. */
const presentHistory = (events: readonly StoredEvent[]): HistoryEvent[] =>
  events.map(({ orderId: _orderId, ...event }, n) => {
    const isEarlier = ({ version }: StoredEvent): boolean => version === event.version;
    const isLate = event.outcome === 'duplicate' && event.version !== null && !events.slice(n + 1).some(isEarlier);
    return { ...event, outcome: isLate ? 'late' : event.outcome, timestamp: toInstant(event.timestamp) };
  });
