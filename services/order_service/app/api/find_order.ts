import type { FastifyReply, FastifyRequest } from 'fastify';
import { canonicalOrderId } from '#kafka_common/models.ts';
import { Problem } from '#service_common/errors.ts';
import type { ConsumerDb, ViewedOrder } from '#order_service/consumer_db.ts';
import type { OrderWaiters } from '#order_service/live/order_waiters.ts';
import { preferredWait } from './prefer.ts';

/** @throws Problem `OrderNotFound` */
export type FindOrder = (id: string, request: FastifyRequest, reply: FastifyReply) => Promise<ViewedOrder>;

/**
 * Reads an order. If it is missing, waits for it until the preferred time is over or the client disconnects. Does not
 * wait if too many requests wait already.
 */
export const createFindOrder = ({
  db,
  waiters,
}: {
  readonly db: Pick<ConsumerDb, 'order'>;
  readonly waiters: OrderWaiters;
}): FindOrder => {
  const find = async (orderId: string, waitS: number | null, reply: FastifyReply): Promise<ViewedOrder | null> => {
    // Waiting begins before reading. Otherwise an order that arrives in between would be missed.
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

  return async (id, { headers }, reply) => {
    const orderId = canonicalOrderId(id) ?? id;
    const order = await find(orderId, preferredWait(headers['prefer']), reply);
    if (order === null) throw new Problem('OrderNotFound', `order ${orderId} is not known`);
    return order;
  };
};
