import type { OrderEvent } from '#kafka_common/events.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { toMessage } from '#tests/faults/direct_events.ts';
import type { ForeignMessage } from './foreign_client.ts';

const FOREIGN_SOURCE = '/librdkafka';

/** A valid event as the foreign client writes it, in the partition of its order: librdkafka itself would choose another. */
export const foreignMessage = (event: OrderEvent, partitions: number): ForeignMessage => {
  const { key, value, headers } = toMessage(event);
  return {
    key,
    value,
    headers: Object.entries({ ...headers, ce_source: FOREIGN_SOURCE }).map(
      ([name, text]) => [name, Buffer.from(String(text))] as const,
    ),
    partition: partitionOf(key, partitions),
  };
};
