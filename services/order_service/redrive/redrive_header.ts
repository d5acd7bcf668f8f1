import type { LogRecord } from '#kafka_common/broker.ts';
import type { LetterPosition } from '#order_service/consumer_db.ts';

/**
 * A dead letter that is published again says in a header where it stood. The topic is the record of redrives, too: the
 * view learns from it what became of one, also a view that is built again.
 */
export const REDRIVEN_FROM = 'redriven-from';

export const redrivenFrom = ({ topic, partition, offset }: LetterPosition): string => `${topic}/${partition}/${offset}`;

const POSITION = /^([a-zA-Z0-9._-]{1,249})\/(\d{1,9})\/(\d{1,15})$/;

/** The dead letter that a message takes the place of; null for any other message. */
export const redrivenLetter = (headers: LogRecord['headers']): LetterPosition | null => {
  for (const [name, value] of headers) {
    if (name !== REDRIVEN_FROM) continue;
    const [, topic, partition, offset] = POSITION.exec(value?.toString() ?? '') ?? [];
    return topic === undefined ? null : { topic, partition: Number(partition), offset: Number(offset) };
  }
  return null;
};
