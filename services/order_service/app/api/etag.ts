import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ViewedOrder } from '#order_service/consumer_db.ts';

/**
 * Gives the answer its `ETag` and tells whether the client has that one already (RFC 9110, section 13.1.2). Version and
 * status say all that can change of an order, also to a client that asks a view that was built again.
 */
export const isUnchanged = (
  { version, status }: ViewedOrder,
  { headers }: FastifyRequest,
  reply: FastifyReply,
): boolean => {
  const etag = `"${version}-${status}"`;
  void reply.header('etag', etag);
  const known = headers['if-none-match'];
  return known !== undefined && known.split(',').some((tag) => [etag, `W/${etag}`, '*'].includes(tag.trim()));
};
