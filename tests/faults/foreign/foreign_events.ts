import type { OrderEvent } from '#kafka_common/events.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { toMessage } from '#tests/faults/direct_events.ts';
import type { ForeignMessage } from './foreign_client.ts';

/** A valid event as the foreign client writes it, in the partition of its order: librdkafka itself would choose another. */
export const foreignMessage = (event: OrderEvent, partitions: number): ForeignMessage => {
  const { key, value, headers } = toMessage(event);
  return {
    key,
    value,
    headers: Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)] as const),
    partition: partitionOf(key, partitions),
  };
};
