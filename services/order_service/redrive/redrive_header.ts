import type { LogRecord } from '#kafka_common/broker.ts';
import type { LetterPosition } from '#order_service/consumer_db.ts';

/**
 * The header of a redriven message. It names the position of the dead letter that was published again. So the topic
 * records redrives too: the view learns from it what became of a letter, also when it is built again.
 */
export const REDRIVEN_FROM = 'redriven-from';

export const redrivenFrom = ({ topic, partition, offset }: LetterPosition): string => `${topic}/${partition}/${offset}`;

const POSITION = /^([a-zA-Z0-9._-]{1,249})\/(\d{1,9})\/(\d{1,15})$/;

/** The dead letter that a message is a redrive of; null if the message is not a redrive. */
export const redrivenLetter = (headers: LogRecord['headers']): LetterPosition | null => {
  for (const [name, value] of headers) {
    if (name !== REDRIVEN_FROM) continue;
    const [, topic, partition, offset] = POSITION.exec(value?.toString() ?? '') ?? [];
    return topic === undefined ? null : { topic, partition: Number(partition), offset: Number(offset) };
  }
  return null;
};
