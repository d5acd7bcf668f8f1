import type { FastifyRequest } from 'fastify';
import Type, { type Static } from 'typebox';
import { ORDER, ORDER_STATUSES, type OrderStatus } from '#kafka_common/models.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { InstantText } from '#service_common/http/query_texts.ts';
import type { ConsumerDb, OrderFilter, ViewedOrder } from '#order_service/consumer_db.ts';
import { limitOf, OrderVersion } from './answer_fields.ts';
import { fromPlaceCursor, Next, PlaceCursor, toPlaceCursor } from './cursors.ts';
import { isUnchanged } from './etag.ts';
import type { FindOrder } from './find_order.ts';
import {
  details,
  EXAMPLE_DETAILS,
  OrderIdParam,
  presentOrder,
  ReadHeaders,
  Unchanged,
  withReplyHeaders,
} from './order_answer.ts';

/** Orders as resources: their listing, and one of them. */

const OrdersQuery = Type.Object({
  status: Type.Optional(Type.String({ enum: [...ORDER_STATUSES], description: 'Upper or lower case' })),
  customerId: Type.Optional({
    ...ORDER.customerId.written,
    description: 'Only orders of this customer',
    examples: ['CUST-00042'],
  }),
  from: Type.Optional(InstantText('Only orders of this date or later; a date alone is its first moment in UTC')),
  to: Type.Optional(InstantText('Only orders of an earlier date than this one')),
  after: PlaceCursor,
  limit: limitOf(50),
});

const { orderId, customerId, orderDate, totalAmount, currency, status } = ORDER;

const ListedOrder = Type.Object(
  {
    orderId: orderId.shown,
    customerId: customerId.shown,
    orderDate: orderDate.shown,
    numberOfItems: Type.Integer({ minimum: 1 }),
    totalAmount: totalAmount.shown,
    currency: currency.shown,
    status: status.shown,
    version: OrderVersion,
  },
  { title: 'ListedOrder' },
);

export const Orders = Type.Object(
  { orders: Type.Array(ListedOrder), next: Next },
  {
    title: 'Orders',
    description: 'The newest date first. A page can hold fewer orders than `limit` although more follow',
    examples: [
      {
        orders: [
          {
            orderId: 'ORD-123',
            customerId: 'CUST-00042',
            orderDate: '2026-01-18T12:00:00.000Z',
            numberOfItems: 1,
            totalAmount: 150.5,
            currency: 'EUR',
            status: 'confirmed',
            version: 2,
          },
        ],
        next: '1768737600000_7',
      },
    ],
  },
);

export const OrderResource = withReplyHeaders(
  Type.Object(
    { ...details, version: OrderVersion },
    { title: 'OrderResource', description: 'The order as it is now', examples: [{ ...EXAMPLE_DETAILS, version: 2 }] },
  ),
);

const OrderParams = Type.Object({ orderId: OrderIdParam });

const GetOrder = {
  operationId: 'getOrder',
  description: 'The first of the orders, with its items',
  parameters: { orderId: '$response.body#/orders/0/orderId' },
};

const GetOrderEvents = {
  operationId: 'getOrderEvents',
  description: 'The events of the order',
  parameters: { orderId: '$response.body#/order/orderId' },
};

export interface OrdersParts {
  readonly db: Pick<ConsumerDb, 'orders'>;
  readonly findOrder: FindOrder;
}

export const addOrders = (app: HttpApp, { db, findOrder }: OrdersParts): void => {
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
      const page = await db.orders(filterOf(query), fromPlaceCursor(query.after), Number(query.limit));
      const next = page.next === null ? null : toPlaceCursor(page.next);
      return { orders: page.orders.map(presentListedOrder), next };
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
        headers: ReadHeaders,
        response: { 200: OrderResource, 304: Unchanged },
      },
    },
    async (request, reply) => {
      const order = await findOrder(request.params.orderId, request, reply);
      if (isUnchanged(order, request, reply)) return reply.code(304).send();
      return { ...presentOrder(order), version: order.version };
    },
  );
};

/** A client may give a status in any case. */
const lowerCaseStatus = ({ query }: FastifyRequest, _reply: unknown, done: () => void): void => {
  const given = query as { status?: unknown };
  if (typeof given.status === 'string') given.status = given.status.toLowerCase();
  done();
};

const filterOf = (query: Static<typeof OrdersQuery>): OrderFilter => ({
  status: query.status as OrderStatus | undefined,
  customerId: query.customerId,
  from: query.from === undefined ? undefined : Date.parse(query.from),
  to: query.to === undefined ? undefined : Date.parse(query.to),
});

const presentListedOrder = (viewed: ViewedOrder): Static<typeof ListedOrder> => {
  const { order } = presentOrder(viewed);
  return {
    orderId: order.orderId,
    customerId: order.customerId,
    orderDate: order.orderDate,
    numberOfItems: order.items.length,
    totalAmount: order.totalAmount,
    currency: order.currency,
    status: order.status,
    version: viewed.version,
  };
};
