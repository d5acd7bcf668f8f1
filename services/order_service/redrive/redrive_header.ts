import type { HeaderList } from '#kafka_common/broker.ts';
import type { LetterPosition } from '#order_service/consumer_db.ts';

/**
 * The headers of a redriven message. `redriven-from` names the position of the dead letter that was published again. So
 * the topic records redrives too: the view learns from it what became of a letter, also when it is built again. Any
 * producer can write that header. `redriven-proof` shows that this service wrote it (`redrive_proof.ts`).
 */
export const REDRIVEN_FROM = 'redriven-from';
export const REDRIVEN_PROOF = 'redriven-proof';

/** What a message says about itself. Nothing of it is certain before the proof is checked. */
export interface RedriveClaim {
  readonly letter: LetterPosition;
  readonly proof: string;
}

export const redriveHeaders = (letter: LetterPosition, proof: string): HeaderList => [
  [REDRIVEN_FROM, Buffer.from(positionText(letter))],
  [REDRIVEN_PROOF, Buffer.from(proof)],
];

export const positionText = ({ topic, partition, offset }: LetterPosition): string => `${topic}/${partition}/${offset}`;

const POSITION = /^([a-zA-Z0-9._-]{1,249})\/(\d{1,9})\/(\d{1,15})$/;
/** A longer header is not one of ours. */
const MAX_BYTES = 300;

/** Null if the message does not claim to be redriven. */
export const redriveClaim = (headers: HeaderList): RedriveClaim | null => {
  const proof = textOf(headers, REDRIVEN_PROOF);
  if (proof === null) return null;
  const [, topic, partition, offset] = POSITION.exec(textOf(headers, REDRIVEN_FROM) ?? '') ?? [];
  return topic === undefined
    ? null
    : { letter: { topic, partition: Number(partition), offset: Number(offset) }, proof };
};

const textOf = (headers: HeaderList, wanted: string): string | null => {
  for (const [name, value] of headers) {
    if (name === wanted) return value === null || value.length > MAX_BYTES ? null : value.toString();
  }
  return null;
};
