import type { SQLOutputValue } from 'node:sqlite';
import type { OrderStatus } from '#kafka_common/models.ts';
import type { EventOutcome, OrderView, StoredDeadLetter, StoredEvent } from '#order_service/consumer_db.ts';
import { headersFromText } from '#order_service/store/header_text.ts';
import { toRedrive } from '#order_service/store/stored_orders.ts';

/** Rows of the tables, and their conversion to the types of `consumer_db.ts`. */
export type Row = Record<string, SQLOutputValue>;

export const toView = (row: Row): OrderView => ({
  orderId: row['order_id'] as string,
  version: row['version'] as number,
  status: row['status'] as OrderStatus,
  pendingSince: row['since'] as number | null,
});

export const toStoredEvent = (row: Row): StoredEvent => ({
  sequence: row['sequence'] as number,
  orderId: row['order_id'] as string,
  type: row['created'] === 1 ? 'ORDER_CREATED' : 'ORDER_STATUS_UPDATED',
  version: row['version'] as number | null,
  status: row['status'] as OrderStatus,
  timestamp: row['timestamp'] as number,
  partition: row['partition'] as number,
  offset: row['offset'] as number,
  outcome: row['outcome'] as EventOutcome,
});

export const toDeadLetter = (row: Row): StoredDeadLetter => ({
  id: row['id'] as number,
  topic: row['topic'] as string,
  partition: row['partition'] as number,
  offset: row['offset'] as number,
  timestamp: row['timestamp'] as number,
  key: bytes(row['key']),
  value: bytes(row['value']),
  headers: headersFromText(row['headers'] as string),
  reason: row['reason'] as string,
  isWhole: row['is_whole'] === 1,
  storedAt: row['stored_at'] as number,
  redrive: toRedrive(row),
});

const bytes = (blob: SQLOutputValue | undefined): Buffer | null =>
  blob instanceof Uint8Array ? Buffer.from(blob.buffer, blob.byteOffset, blob.byteLength) : null;
