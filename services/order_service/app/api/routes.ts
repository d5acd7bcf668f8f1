import { type HttpApp, ProblemRef } from '#service_common/http.ts';
import type { ConsumerDb } from '../../consumer_db.ts';
import { isUnchanged } from './etag.ts';
import type { FindOrder } from './find_order.ts';
import { streamListing } from './listing.ts';
import { presentOrder } from './presenters.ts';
import { OrderDetails, OrderDetailsHeaders, OrderDetailsQuery, OrderIds, OrderIdsQuery } from './schemas.ts';

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
      schema: {
        tags: ['orders'],
        summary: 'An order with its present status and its shipping cost',
        querystring: OrderDetailsQuery,
        headers: OrderDetailsHeaders,
        response: { 200: OrderDetails, '4xx': ProblemRef, '5xx': ProblemRef },
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
      schema: {
        tags: ['orders'],
        summary: 'The ids of all orders received from a topic',
        querystring: OrderIdsQuery,
        response: { 200: OrderIds, '4xx': ProblemRef, '5xx': ProblemRef },
      },
    },
    (request, reply) => {
      const { topicName } = request.query;
      const pages = topicName === topic ? db.orderIds() : nothing();
      return reply.type('application/json; charset=utf-8').send(streamListing({ topicName }, 'orderIds', pages));
    },
  );
};

async function* nothing(): AsyncGenerator<never> {}
