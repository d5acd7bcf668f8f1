import { canonicalOrderId, parseStatus, ORDER_STATUSES } from '#kafka_common/models.ts';
import { Problem, validationProblem } from '#service_common/errors.ts';
import { type HttpApp, ProblemRef } from '#service_common/http.ts';
import type { ConsumerDb, OrderFilter } from '../../consumer_db.ts';
import { placeFromCursor, placeToCursor, sequenceFromCursor } from './cursors.ts';
import { isUnchanged } from './etag.ts';
import type { FindOrder } from './find_order.ts';
import { presentHistory, presentListedOrder, presentOrder } from './presenters.ts';
import {
  HistoryQuery,
  OrderDetailsHeaders,
  OrderHistory,
  OrderParams,
  OrderResource,
  Orders,
  OrdersQuery,
} from './schemas.ts';

export interface OrderResourceParts {
  readonly db: Pick<ConsumerDb, 'orders' | 'history'>;
  readonly findOrder: FindOrder;
}

/** Orders as resources: their listing, one of them, and what happened to it. */
export const addOrderResourceRoutes = (app: HttpApp, { db, findOrder }: OrderResourceParts): void => {
  const errors = { '4xx': ProblemRef, '5xx': ProblemRef };

  app.get(
    '/orders',
    {
      schema: {
        tags: ['orders'],
        summary: 'Orders, the newest date first, a page at a time',
        querystring: OrdersQuery,
        response: { 200: Orders, ...errors },
      },
    },
    async ({ query }) => {
      const filter: OrderFilter = {
        status: query.status === undefined ? undefined : (parseStatus(query.status) ?? wrongStatus()),
        customerId: query.customerId,
        from: instant('from', query.from),
        to: instant('to', query.to),
      };
      const { orders, next } = await db.orders(filter, placeFromCursor(query.after), Number(query.limit));
      return { orders: orders.map(presentListedOrder), next: next === null ? null : placeToCursor(next) };
    },
  );

  app.get(
    '/orders/:orderId',
    {
      schema: {
        tags: ['orders'],
        summary: 'An order with its present status, version and shipping cost',
        params: OrderParams,
        headers: OrderDetailsHeaders,
        response: { 200: OrderResource, ...errors },
      },
    },
    async (request, reply) => {
      const order = await findOrder(request.params.orderId, request, reply);
      if (isUnchanged(order, request, reply)) return reply.code(304).send();
      return { ...presentOrder(order), version: order.version };
    },
  );

  app.get(
    '/orders/:orderId/events',
    {
      schema: {
        tags: ['orders'],
        summary: 'What happened to an order: each event, with where it stands in the topic',
        params: OrderParams,
        querystring: HistoryQuery,
        response: { 200: OrderHistory, ...errors },
      },
    },
    async ({ params, query }) => {
      const orderId = canonicalOrderId(params.orderId) ?? params.orderId;
      const limit = Number(query.limit);
      const events = await db.history(orderId, sequenceFromCursor(query.after), limit);
      if (events === null) throw new Problem('OrderNotFound', `nothing is known of order ${orderId}`);
      const last = events.at(-1);
      const next = last === undefined || events.length < limit ? null : String(last.sequence);
      return { orderId, events: presentHistory(events), next };
    },
  );
};

const wrongStatus = (): never => {
  throw validationProblem([{ field: 'status', message: `must be one of ${ORDER_STATUSES.join(', ')}` }]);
};

const INSTANT = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Milliseconds since 1970; a date alone is its first moment in UTC. */
const instant = (field: string, text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const ms = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  throw validationProblem([
    { field, message: 'must be a date or a time of ISO 8601 with its zone, as 2026-01-18T12:00:00Z' },
  ]);
};
