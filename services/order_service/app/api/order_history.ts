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
      description: 'Numbers the events of the view. It rises with the events of one order; numbers can be left out',
    }),
    type: oneOf(['ORDER_CREATED', 'ORDER_STATUS_UPDATED']),
    version: orNull(Type.Integer({ minimum: 0 }), { description: 'null if its producer does not count versions' }),
    status: STATUS.shown,
    timestamp: orNull(Instant, { description: 'When it happened' }),
    partition: Place,
    offset: Place,
    outcome: oneOf(['applied', 'duplicate', 'late', 'waiting', 'conflict'], {
      description:
        '`duplicate`: applied before, so ignored. `late`: newer events had been applied, so ignored. `waiting`: came before its order. `conflict`: would create an order that another event has created, so ignored',
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

const presentHistory = (events: readonly StoredEvent[]): HistoryEvent[] =>
  events.map((stored, n) => {
    const { orderId: _orderId, ...event } = stored;
    const outcome = stored.outcome === 'duplicate' ? ignoredAs(stored, events.slice(n + 1)) : stored.outcome;
    return { ...event, outcome, timestamp: toInstant(event.timestamp) };
  });

/**
 * Why an event was ignored: `late` if the earlier events do not hold its version, `conflict` if they hold only other
 * creations. An event that is delivered again has the time that it had.
 * @param earlier newest first, maybe not all of them
 */
const ignoredAs = (event: StoredEvent, earlier: readonly StoredEvent[]): HistoryEvent['outcome'] => {
  if (event.version === null) return 'duplicate';
  const ofType = earlier.filter(({ type }) => type === event.type);
  const isSame = ({ version, timestamp }: StoredEvent): boolean =>
    version === event.version && timestamp === event.timestamp;
  if (event.type === 'ORDER_CREATED' && ofType.length > 0) return ofType.some(isSame) ? 'duplicate' : 'conflict';
  return earlier.some(({ version }) => version === event.version) ? 'duplicate' : 'late';
};
