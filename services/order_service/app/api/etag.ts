import type { FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { ViewedOrder } from '#order_service/consumer_db.ts';

/** The request header that `isUnchanged` reads. */
export const IfNoneMatch = Type.Optional(
  Type.String({
    maxLength: 1_000,
    description: 'The `ETag` of an earlier answer: 304 if the order is still the same',
    examples: ['"1-new"'],
  }),
);

/** The reply header that `isUnchanged` sets, for the OpenAPI document. */
export const ETAG = { type: 'string', pattern: '^"[0-9]+-[a-z]+"$', description: 'For `If-None-Match`' };

/**
 * Sets the `ETag` of the answer. Returns whether the client already has this state of the order (RFC 9110,
 * section 13.1.2). Version and status are all that can change of an order, also after a rebuild of the view.
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
