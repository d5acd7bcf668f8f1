import type { FastifyRequest } from 'fastify';
import { canonicalOrderId, type OrderStatus } from '#kafka_common/models.ts';
import { Problem } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import type { ConsumerDb, OrderFilter } from '#order_service/consumer_db.ts';
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
  Unchanged,
} from './schemas.ts';

export interface OrderResourceParts {
  readonly db: Pick<ConsumerDb, 'orders' | 'history'>;
  readonly findOrder: FindOrder;
}

const GetOrder = {
  operationId: 'getOrder',
  description: 'The first of the orders, whole',
  parameters: { orderId: '$response.body#/orders/0/orderId' },
};

const GetOrderEvents = {
  operationId: 'getOrderEvents',
  description: 'What happened to the order',
  parameters: { orderId: '$response.body#/order/orderId' },
};

/** Orders as resources: their listing, one of them, and what happened to it. */
export const addOrderResourceRoutes = (app: HttpApp, { db, findOrder }: OrderResourceParts): void => {
  app.get(
    '/orders',
    {
      preValidation: lowerCaseStatus,
      config: { problems: ['ValidationFailed'] },
      links: { 200: { GetOrder } },
      schema: {
        operationId: 'listOrders',
        tags: ['orders'],
        summary: 'Orders, the newest date first, a page at a time',
        querystring: OrdersQuery,
        response: { 200: Orders },
      },
    },
    async ({ query }) => {
      const filter: OrderFilter = {
        status: query.status as OrderStatus | undefined,
        customerId: query.customerId,
        from: instant(query.from),
        to: instant(query.to),
      };
      const { orders, next } = await db.orders(filter, placeFromCursor(query.after), Number(query.limit));
      return { orders: orders.map(presentListedOrder), next: next === null ? null : placeToCursor(next) };
    },
  );

  app.get(
    '/orders/:orderId',
    {
      config: { problems: ['ValidationFailed', 'OrderNotFound', 'UriTooLong'] },
      links: { 200: { GetOrderEvents } },
      schema: {
        operationId: 'getOrder',
        tags: ['orders'],
        summary: 'An order with its present status, version and shipping cost',
        params: OrderParams,
        headers: OrderDetailsHeaders,
        response: { 200: OrderResource, 304: Unchanged },
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
      config: { problems: ['ValidationFailed', 'OrderNotFound', 'UriTooLong'] },
      schema: {
        operationId: 'getOrderEvents',
        tags: ['orders'],
        summary: 'What happened to an order: each event, with where it stands in the topic',
        params: OrderParams,
        querystring: HistoryQuery,
        response: { 200: OrderHistory },
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

/** Statuses are given in any case. */
const lowerCaseStatus = ({ query }: FastifyRequest, _reply: unknown, done: () => void): void => {
  const given = query as { status?: unknown };
  if (typeof given.status === 'string') given.status = given.status.toLowerCase();
  done();
};

/** Milliseconds since 1970. */
const instant = (text: string | undefined): number | undefined => (text === undefined ? undefined : Date.parse(text));
