import type { FastifyReply } from 'fastify';
import { canonicalOrderId, type Order } from '#kafka_common/models.ts';
import { Problem } from '#service_common/errors.ts';
import { type HttpApp, ProblemRef } from '#service_common/http.ts';
import type { ConsumerDb } from '../../consumer_db.ts';
import type { OrderWaiters } from '../../order_waiters.ts';
import { streamListing } from './listing.ts';
import { preferredWait } from './prefer.ts';
import { presentOrder } from './presenters.ts';
import { OrderDetails, OrderDetailsHeaders, OrderDetailsQuery, OrderIds, OrderIdsQuery } from './schemas.ts';

export interface OrderRouteParts {
  readonly db: Pick<ConsumerDb, 'order' | 'orderIds'>;
  readonly waiters: OrderWaiters;
  /** The topic that is consumed. */
  readonly topic: string;
}

export const addOrderRoutes = (app: HttpApp, { db, waiters, topic }: OrderRouteParts): void => {
  /** Reads the order; where it is missing, waits for it as long as the client prefers, room allows and it stays connected. */
  const findOrder = async (orderId: string, waitS: number | null, reply: FastifyReply): Promise<Order | null> => {
    // Waiting begins before looking, or an order that arrives in between would be missed.
    const waiter = waitS === null ? null : waiters.enter(orderId, waitS * 1_000);
    if (waiter === null) return db.order(orderId);
    void reply.header('preference-applied', `wait=${waitS}`);
    reply.raw.once('close', waiter.leave);
    try {
      const order = await db.order(orderId);
      if (order !== null) return order;
      await waiter.woken;
      return await db.order(orderId);
    } finally {
      waiter.leave();
    }
  };

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
      const orderId = canonicalOrderId(request.query.orderId) ?? request.query.orderId;
      const order = await findOrder(orderId, preferredWait(request.headers.prefer), reply);
      if (order === null) throw new Problem('OrderNotFound', `order ${orderId} is not known`);
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
