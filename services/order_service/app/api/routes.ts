import type { HttpApp } from '#service_common/http/http_app.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { isUnchanged } from './etag.ts';
import type { FindOrder } from './find_order.ts';
import { streamListing } from './listing.ts';
import { presentOrder } from './presenters.ts';
import { OrderDetails, OrderDetailsHeaders, OrderDetailsQuery, OrderIds, OrderIdsQuery, Unchanged } from './schemas.ts';

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
        headers: OrderDetailsHeaders,
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
        description: 'Empty for a topic that has none, or that is not the one consumed.',
        querystring: OrderIdsQuery,
        response: { 200: OrderIds },
      },
    },
    (request, reply) => {
      const { topicName } = request.query;
      const pages = topicName === topic ? db.orderIds() : nothing();
      void reply.type('application/json; charset=utf-8');
      return streamListing({ topicName }, 'orderIds', pages);
    },
  );
};

async function* nothing(): AsyncGenerator<never> {}
