import type { Broker, Topic } from '#kafka_common/broker.ts';
import type { OrderEvent } from '#kafka_common/events.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import type { CommandRequest } from '#cart_service/requests.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { create } from './cart_requests.ts';
import { batchOf, created, statusUpdated } from './events.ts';

/** Parts of the Cart Service's write path, for tests of one part alone. */

/** The topic of `batchOf`. */
export const A_TOPIC: Topic = { name: 'orders.events', id: 'topic-1', partitions: 6 };

export const rowOf = (seq: number, event: OrderEvent, changes: Partial<OutboxRow> = {}): OutboxRow => ({
  seq,
  eventId: event.eventId,
  orderId: event.orderId,
  message: encodeEvent(event, ''),
  fingerprint: null,
  idempotencyKey: null,
  ...changes,
});

/** The creation of the order with this number. */
export const creation = (id: number, seq = id): OutboxRow => rowOf(seq, created(`ORD-${id}`));

/** An update of the order with this number. */
export const confirmation = (id: number, seq: number, version = 2): OutboxRow =>
  rowOf(seq, statusUpdated(`ORD-${id}`, version, 'confirmed'));

/** A request that waits and has no answer yet. */
export const waitingFor = (request: CommandRequest = create(1), changes: Partial<Waiting> = {}): Waiting => ({
  request,
  deadline: Infinity,
  stored: false,
  answered: false,
  ...changes,
});

export const unsettledIn = (queues: readonly PartitionQueue[]): number[] =>
  queues.flatMap(({ unsettled }) => unsettled.map(({ seq }) => seq));

/** A log with these batches, each as `batchOf` takes it. */
export const logOf = (...batches: readonly Parameters<typeof batchOf>[]): Pick<Broker, 'read'> => ({
  // oxlint-disable-next-line require-await -- the seam is asynchronous
  async *read(_name, from) {
    for (const [partition, first, contents] of batches) {
      const batch = batchOf(partition, first, contents);
      const start = from.get(partition) ?? 0;
      if (batch.next > start) yield { ...batch, records: batch.records.filter(({ offset }) => offset >= start) };
    }
  },
});
