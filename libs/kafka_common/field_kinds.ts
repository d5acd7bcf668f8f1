import Type, { type TSchema } from 'typebox';
import { readAmount } from './amounts.ts';
import { fail, quote } from './invalid_event.ts';
import { CURRENCIES, fromMinorUnits, MAX_AMOUNT } from './money.ts';

/** The kinds of fields that a description can use. */

/** What an order may hold at most. A request beyond it is refused; an event beyond it is a dead letter. */
export const LIMITS = {
  items: 1_000,
  quantity: 1_000_000,
  idLength: 128,
  /** The largest signed 32-bit integer: every consumer can hold it, and it can be counted on from any version. */
  version: 2_147_483_647,
} as const;

/** A field that has the same schema wherever it stands. */
export const sameEverywhere = <T extends TSchema>(schema: T) => ({
  accepted: schema,
  written: schema,
  requested: schema,
  shown: schema,
});

/** A text that names something and that others choose. */
export const id = (description?: string) => ({
  ...sameEverywhere(
    Type.String({ minLength: 1, maxLength: LIMITS.idLength, ...(description === undefined ? {} : { description }) }),
  ),
  shown: Type.String(),
});

export const quantity = () => ({
  ...sameEverywhere(Type.Integer({ minimum: 1, maximum: LIMITS.quantity })),
  shown: Type.Integer({ minimum: 1 }),
});

/** Money: minor units in the program, a decimal number in JSON. `amounts.ts` says how amounts of others are read. */
export const amount = (description: string) => ({
  ...sameEverywhere(Type.Number({ minimum: 0, description })),
  requested: Type.Number({ minimum: 0, maximum: MAX_AMOUNT, description }),
  shown: Type.Number({ minimum: 0, description: 'With the decimals of the currency, or as its producer wrote it' }),
  read: (json: number, exponent: number, name: string): number =>
    readAmount(json, exponent) ?? fail(`${name} ${json} is too large to be an exact amount`),
  write: fromMinorUnits,
});

/** An ISO 4217 code. */
export const currency = () => ({
  ...sameEverywhere(Type.String({ enum: [...CURRENCIES], description: 'ISO 4217' })),
  accepted: Type.String({ pattern: '^[A-Z]{3}$', description: 'ISO 4217' }),
  shown: Type.String({ description: 'ISO 4217' }),
});

const INSTANT = Type.String({ format: 'date-time' });
const UTC_MS_PATTERN = '^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}\\.\\d{3}Z$';

/** A moment: ISO 8601, UTC in the program. */
export const instant = () => ({
  ...sameEverywhere(INSTANT),
  accepted: Type.String({
    pattern: '^\\d{4}-\\d{2}-\\d{2}([T ]\\d{2}:\\d{2}(:\\d{2}(\\.\\d{1,9})?)?(Z|[+-]\\d{2}:?\\d{2})?)?$',
    description: 'ISO 8601; without a zone it means UTC',
  }),
  written: Type.String({ format: 'date-time', pattern: UTC_MS_PATTERN, description: 'ISO 8601, UTC' }),
  read: (json: string, _exponent: number, name: string): string => toUtc(json, name),
});

const UTC_MS = /^\d{4}-\d{2}-\d{2}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;
const UTC_MS_LENGTH = 24;

/** `Date` takes 30 February for 2 March. */
const dayExists = (text: string): boolean => new Date(text.slice(0, 10)).getUTCDate() === Number(text.slice(8, 10));

/** A date without a zone means UTC. @throws InvalidEvent */
export const toUtc = (json: string, name: string): string => {
  // Most dates are written as `Date` writes them.
  if (UTC_MS.test(json) && dayExists(json)) return json;
  const hasTime = json.length > 10;
  const hasZone = hasTime && /(Z|[+-]\d{2}:?\d{2})$/.test(json);
  const date = new Date(hasTime && !hasZone ? `${json.replace(' ', 'T')}Z` : json.replace(' ', 'T'));
  const utc = dayExists(json) && !Number.isNaN(date.getTime()) ? date.toISOString() : '';
  // A zone can move the year out of 0000 to 9999. Such a date could not be written.
  return utc.length === UTC_MS_LENGTH ? utc : fail(`${name} ${quote(json)} is not a date`);
};
