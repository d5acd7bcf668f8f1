import Type from 'typebox';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { ORDER_ID } from '#kafka_common/models.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
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
import { streamed, streamList } from './streamed_list.ts';

/** The two calls of the specification. */

export const OrderDetailsQuery = Type.Object({ orderId: OrderIdParam });

export const OrderDetails = withReplyHeaders(
  Type.Object(details, {
    title: 'OrderDetails',
    description: 'The order as it is now',
    examples: [EXAMPLE_DETAILS],
  }),
);

const OrderIdsQuery = Type.Object({
  topicName: Type.String({ minLength: 1, description: 'Name of the topic', examples: ['orders.events'] }),
});

const OrderIds = Type.Object(
  {
    topicName: Type.String(),
    orderIds: Type.Array(ORDER_ID.shown, { description: 'Each id once, in the order first received' }),
  },
  {
    title: 'OrderIds',
    description: 'The ids of the orders',
    examples: [{ topicName: 'orders.events', orderIds: ['ORD-123', 'ORD-124'] }],
  },
);

export interface OrderRouteParts {
  readonly db: Pick<ConsumerDb, 'orderIds'>;
  readonly findOrder: FindOrder;
  /** The topic that is consumed. */
  readonly topic: string;
}

export const addOrderRoutes = (app: HttpApp, { db, findOrder, topic }: OrderRouteParts): void => {
  app.get(
    '/order-details',
    {
      config: { problems: ['ValidationFailed', 'OrderNotFound'] },
      schema: {
        operationId: 'getOrderDetails',
        tags: ['orders'],
        summary: 'An order with its present status and its shipping cost',
        description:
          'An order can be read a few milliseconds after the 200 of its create; `Prefer: wait=5` waits for it.',
        querystring: OrderDetailsQuery,
        headers: ReadHeaders,
        response: { 200: OrderDetails, 304: Unchanged },
      },
    },
    async (request, reply) => {
      const order = await findOrder(request.query.orderId, request, reply);
      if (isUnchanged(order, request, reply)) return reply.code(304).send();
      return presentOrder(order);
    },
  );

  app.get(
    '/getAllOrderIdsFromTopic',
    {
      config: { problems: ['ValidationFailed'] },
      schema: {
        operationId: 'getAllOrderIdsFromTopic',
        tags: ['orders'],
        summary: 'The ids of all orders received from a topic',
        description: 'Empty for a topic that holds no order, or that this service does not consume.',
        querystring: OrderIdsQuery,
        response: { 200: streamed(OrderIds) },
      },
    },
    (request, reply) => {
      const { topicName } = request.query;
      const pages = topicName === topic ? db.orderIds() : noPages();
      void reply.type('application/json; charset=utf-8');
      return streamList({ topicName }, 'orderIds', pages);
    },
  );
};

async function* noPages(): AsyncGenerator<never> {}
