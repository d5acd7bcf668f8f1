import type { OrderStatus } from '#kafka_common/models.ts';
import type { Row } from '#service_common/postgres/statements.ts';
import { fromPostgresText } from '#service_common/stored_text.ts';
import type { EventOutcome, OrderView, StoredDeadLetter, StoredEvent } from '#order_service/consumer_db.ts';
import { headersFromText } from '#order_service/store/header_text.ts';
import { toRedrive } from '#order_service/store/stored_orders.ts';

/** Rows of the tables, and their conversion to the types of `consumer_db.ts`. */

export const toText = (value: unknown): string => fromPostgresText(value as string);

export const toView = (row: Row): OrderView => ({
  orderId: toText(row['order_id']),
  version: row['version'] as number,
  status: row['status'] as OrderStatus,
  pendingSince: row['pending_since'] as number | null,
});

export const toStoredEvent = (row: Row): StoredEvent => ({
  sequence: row['sequence'] as number,
  orderId: toText(row['order_id']),
  type: row['is_creation'] === true ? 'ORDER_CREATED' : 'ORDER_STATUS_UPDATED',
  version: row['version'] as number | null,
  status: row['status'] as OrderStatus,
  timestamp: row['timestamp'] as number,
  partition: row['partition'] as number,
  offset: row['offset'] as number,
  outcome: row['outcome'] as EventOutcome,
});

export const toDeadLetter = (row: Row): StoredDeadLetter => ({
  id: row['id'] as number,
  topic: toText(row['topic']),
  partition: row['partition'] as number,
  offset: row['offset'] as number,
  timestamp: row['timestamp'] as number,
  key: row['key'] as Buffer | null,
  value: row['value'] as Buffer | null,
  headers: headersFromText(row['headers'] as string),
  reason: toText(row['reason']),
  isWhole: row['is_whole'] as boolean,
  storedAt: row['stored_at'] as number,
  redrive: toRedrive(row),
});
