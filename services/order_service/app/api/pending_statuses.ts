import Type from 'typebox';
import { ORDER_ID, STATUS } from '#kafka_common/models.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { limitOf, OrderVersion } from './answer_fields.ts';

/** Statuses that came before their order. */

const PendingStatusesQuery = Type.Object({ limit: limitOf(100) });

const PendingStatus = Type.Object(
  {
    orderId: ORDER_ID.shown,
    version: OrderVersion,
    status: STATUS.shown,
    ageMs: Type.Integer({ minimum: 0, description: 'Since the first status of this order came' }),
  },
  { title: 'PendingStatus' },
);

export const PendingStatuses = Type.Object(
  { pendingStatuses: Type.Array(PendingStatus) },
  {
    title: 'PendingStatuses',
    description: 'Oldest first',
    examples: [{ pendingStatuses: [{ orderId: 'ORD-123', version: 2, status: 'confirmed', ageMs: 1_500 }] }],
  },
);

export interface PendingStatusesParts {
  readonly db: Pick<ConsumerDb, 'pending'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export const addPendingStatuses = (app: HttpApp, { db, now }: PendingStatusesParts): void => {
  app.get(
    '/pending-statuses',
    {
      config: { problems: ['ValidationFailed'] },
      schema: {
        operationId: 'listPendingStatuses',
        tags: ['operations'],
        summary: 'Statuses that came before their order',
        querystring: PendingStatusesQuery,
        response: { 200: PendingStatuses },
      },
    },
    async (request) => {
      const pending = await db.pending(Number(request.query.limit));
      return {
        pendingStatuses: pending.map(({ orderId, version, status, pendingSince }) => ({
          orderId,
          version,
          status,
          ageMs: Math.max(0, now() - (pendingSince ?? now())),
        })),
      };
    },
  );
};
