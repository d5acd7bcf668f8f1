import type { OrderEvent } from '#kafka_common/events.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { toMessage } from '#tests/faults/direct_events.ts';
import type { ForeignMessage } from './foreign_client.ts';

const FOREIGN_SOURCE = '/librdkafka';

/** A valid event as the foreign client writes it, in the partition of its order: librdkafka itself would choose another. */
export const foreignMessage = (event: OrderEvent, partitions: number): ForeignMessage => {
  const { key, value, headers } = toMessage(event);
  const source = ['ce_source', Buffer.from(FOREIGN_SOURCE)] as const;
  const others = Object.entries(headers).filter(([name]) => name !== 'ce_source');
  return {
    key,
    value,
    headers: [source, ...others.map(([name, text]) => [name, Buffer.from(String(text))] as const)],
    partition: partitionOf(key, partitions),
  };
};
