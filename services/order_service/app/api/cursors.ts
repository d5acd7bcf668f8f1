import type { OrderSortKey } from '#order_service/consumer_db.ts';

/** Where the next page begins, as clients are handed it: they need not know what it says. The schemas check the patterns. */
export const PLACE_PATTERN = '^-?[0-9]{1,16}_[0-9]{1,15}$';
export const SEQUENCE_PATTERN = '^[0-9]{1,15}$';

export const placeToCursor = ({ orderedAt, arrival }: OrderSortKey): string => `${orderedAt}_${arrival}`;

export const placeFromCursor = (cursor: string | undefined): OrderSortKey | null => {
  if (cursor === undefined) return null;
  const [orderedAt, arrival] = cursor.split('_');
  return { orderedAt: Number(orderedAt), arrival: Number(arrival) };
};

export const sequenceFromCursor = (cursor: string | undefined): number | null =>
  cursor === undefined ? null : Number(cursor);
