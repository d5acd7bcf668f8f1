import Type, { type Static, type TSchema } from 'typebox';
import { IntegerText } from '#service_common/http/query_texts.ts';

/** Fields that several answers and queries have. */

/** One of these texts, which is also its type. */
export const oneOf = <const Values extends readonly string[]>(values: Values, options: object = {}) =>
  Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...options });

export const orNull = <T extends TSchema & { type: string }>(schema: T, options: object = {}) =>
  Type.Unsafe<Static<T> | null>({ ...schema, type: [schema.type, 'null'], ...options });

export const OrderVersion = Type.Integer({ minimum: 0, description: '0 if its producer does not count versions' });

/** A partition or an offset. */
export const Place = Type.Integer({ minimum: 0 });

export const Instant = Type.String({ format: 'date-time' });

/** Milliseconds since 1970 as an `Instant`. Null if a producer wrote a timestamp that is not a date. */
export const toInstant = (ms: number): string | null => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
};

/** The parameter `limit` of a listing. */
export const limitOf = (initial: number) =>
  Type.Optional(IntegerText({ minimum: 1, maximum: 1_000, default: initial }, 'How many to list at most'));
