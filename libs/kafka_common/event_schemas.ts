import Type, { type TSchema } from 'typebox';
import { ORDER_ID_PATTERN, ORDER_STATUSES } from './models.ts';
import { CURRENCIES } from './money.ts';

/**
 * The events as they stand in JSON on the wire, in two readings: `ACCEPTED` is what is read, whoever wrote it, and
 * `WRITTEN` what the Cart Service writes, which is part of it, and which consumers may rely upon.
 * `tests/compatibility` keeps both true to those of earlier versions.
 */

/** What an order may hold at most; a request beyond it is refused, an event beyond it is a dead letter. */
export const LIMITS = {
  items: 1_000,
  quantity: 1_000_000,
  idLength: 128,
} as const;

/** Where the two readings differ. */
interface Forms<Version, OrderId, Instant, Status, Currency> {
  readonly version: Version;
  readonly orderId: OrderId;
  readonly instant: Instant;
  readonly status: Status;
  readonly currency: Currency;
}

const Id = Type.String({ minLength: 1, maxLength: LIMITS.idLength });

const Count = Type.Integer({
  minimum: 1,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Counts the events of one order from 1; without it they are applied in order of arrival',
});

const Item = Type.Object({
  item_id: Id,
  quantity: Type.Integer({ minimum: 1, maximum: LIMITS.quantity }),
  price: Type.Number({ minimum: 0, description: 'Of one piece, with no more decimals than the currency has' }),
});

const eventSchemas = <
  Version extends TSchema,
  OrderId extends TSchema,
  Instant extends TSchema,
  Status extends TSchema,
  Currency extends TSchema,
>({
  version,
  orderId,
  instant,
  status,
  currency,
}: Forms<Version, OrderId, Instant, Status, Currency>) => {
  const envelope = { event_id: Id, timestamp: instant, order_id: orderId, version };
  return {
    ORDER_CREATED: Type.Object({
      ...envelope,
      event_type: Type.Literal('ORDER_CREATED'),
      order: Type.Object({
        order_id: orderId,
        customer_id: Id,
        order_date: instant,
        items: Type.Array(Item, { minItems: 1, maxItems: LIMITS.items }),
        total_amount: Type.Number({ minimum: 0, description: 'The sum of quantity x price, exactly' }),
        currency,
        status,
      }),
    }),
    ORDER_STATUS_UPDATED: Type.Object({
      ...envelope,
      event_type: Type.Literal('ORDER_STATUS_UPDATED'),
      status,
    }),
  };
};

export const ACCEPTED = eventSchemas({
  version: Type.Optional(Count),
  orderId: Type.String({ pattern: ORDER_ID_PATTERN }),
  instant: Type.String({
    pattern: '^\\d{4}-\\d{2}-\\d{2}([T ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?(Z|[+-]\\d{2}:?\\d{2})?)?$',
    description: 'ISO 8601; without a zone it means UTC',
  }),
  status: Type.String({ description: `In any case one of: ${ORDER_STATUSES.join(', ')}` }),
  currency: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
});

export const WRITTEN = eventSchemas({
  version: Count,
  orderId: Type.String({ pattern: '^ORD-[0-9]{1,64}$' }),
  instant: Type.String({
    format: 'date-time',
    pattern: '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$',
    description: 'ISO 8601, UTC',
  }),
  status: Type.String({ enum: [...ORDER_STATUSES] }),
  currency: Type.String({ enum: [...CURRENCIES], description: 'ISO 4217' }),
});
