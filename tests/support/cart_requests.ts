import type { OrderStatus } from '#kafka_common/models.ts';
import type { CommandRequest } from '#cart_service/requests.ts';

/** Requests of clients of the Cart Service. */

export const create = (id: number, numberOfItems = 1): CommandRequest => {
  const orderId = `ORD-${id}`;
  const draft = { orderId, numberOfItems, items: null, customerId: null, currency: null };
  return request({ kind: 'create', orderId, draft, fingerprint: `create-${id}-${numberOfItems}` });
};

export const update = (id: number, status: OrderStatus): CommandRequest =>
  request({ kind: 'update', orderId: `ORD-${id}`, status, fingerprint: `update-${id}-${status}` });

const request = (command: CommandRequest['command']): CommandRequest => ({
  command,
  idempotencyKey: null,
  traceparent: '00-1-1-00',
});

export const keyed = (idempotencyKey: string, unkeyed: CommandRequest): CommandRequest => ({
  ...unkeyed,
  idempotencyKey,
});
