import { validationProblem } from '#service_common/errors.ts';
import type { OrderPlace } from '../../consumer_db.ts';

/** Where the next page begins, as clients are handed it: they need not know what it says. */
const PLACE = /^(-?\d{1,16})_(\d{1,15})$/;

export const placeToCursor = ({ orderedAt, arrival }: OrderPlace): string => `${orderedAt}_${arrival}`;

/** @throws Problem `ValidationFailed` */
export const placeFromCursor = (cursor: string | undefined): OrderPlace | null => {
  if (cursor === undefined) return null;
  const [, orderedAt, arrival] = PLACE.exec(cursor) ?? [];
  return orderedAt === undefined ? wrongCursor() : { orderedAt: Number(orderedAt), arrival: Number(arrival) };
};

/** @throws Problem `ValidationFailed` */
export const sequenceFromCursor = (cursor: string | undefined): number | null => {
  if (cursor === undefined) return null;
  return /^\d{1,15}$/.test(cursor) ? Number(cursor) : wrongCursor();
};

const wrongCursor = (): never => {
  throw validationProblem([{ field: 'after', message: 'must be the `next` of an earlier answer, unchanged' }]);
};
