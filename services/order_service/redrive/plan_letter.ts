import { isUtf8 } from 'node:buffer';
import type { HeaderList, Message } from '#kafka_common/broker.ts';
import type { LetterPosition, StoredDeadLetter } from '#order_service/consumer_db.ts';
import { REDRIVEN_FROM, REDRIVEN_PROOF } from './redrive_header.ts';

/** A dead letter to publish again, as it is or with another key or value. */
export interface RedriveRequest {
  readonly id: number;
  readonly key?: string | undefined;
  readonly value?: string | undefined;
}

/** What to do about a letter: publish a message, or skip it for a reason. */
export type LetterPlan =
  | {
      readonly kind: 'publish';
      readonly id: number;
      readonly letter: LetterPosition;
      /** Still without the headers that say where it was redriven from. */
      readonly message: Message & { readonly headers: HeaderList };
    }
  | { readonly kind: 'skip'; readonly id: number; readonly detail: string };

export type PlannedMessage = Extract<LetterPlan, { kind: 'publish' }>;

/** @param letter undefined if there is no letter with the id of the request */
export const planLetter = (letter: StoredDeadLetter | undefined, request: RedriveRequest): LetterPlan => {
  const { id } = request;
  const skip = (detail: string): LetterPlan => ({ kind: 'skip', id, detail });
  if (letter === undefined) return skip('there is no dead letter with this id');
  if (letter.redrive !== null) return skip('it was redriven before');
  if (!letter.isWhole && (request.key === undefined || request.value === undefined)) return skip(NOT_WHOLE);
  const key = request.key ?? textOf(letter.key);
  if (key === null) return skip('its key is not text; give it one');
  const value = request.value ?? textOf(letter.value);
  if (value === null) return skip('its value is not text; give it one');
  const headers = letter.headers.filter(([name]) => name !== REDRIVEN_FROM && name !== REDRIVEN_PROOF);
  return { kind: 'publish', id, letter, message: { key, value, headers } };
};

const NOT_WHOLE =
  'only its first bytes are kept, because it was too large or could not be decompressed; give it a key and a value';

const textOf = (bytes: Buffer | null): string | null =>
  bytes !== null && bytes.length > 0 && isUtf8(bytes) ? bytes.toString() : null;
