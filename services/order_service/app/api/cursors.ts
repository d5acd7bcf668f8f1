import Type from 'typebox';
import type { OrderSortKey } from '#order_service/consumer_db.ts';
import { orNull } from './answer_fields.ts';

/** Cursors: where the next page begins. Clients pass them on and need not understand them. */

const cursor = (pattern: string) =>
  Type.Optional(
    Type.String({
      pattern,
      maxLength: 100,
      'x-message': 'must be the `next` of the previous page',
      description: '`next` of the previous page',
    }),
  );

/** The field of a page that the parameter `after` of the next page takes. */
export const Next = orNull(Type.String(), { description: 'For `after` of the next page; null on the last page' });

export const PlaceCursor = cursor('^-?[0-9]{1,16}_[0-9]{1,15}$');

export const toPlaceCursor = ({ orderedAt, arrival }: OrderSortKey): string => `${orderedAt}_${arrival}`;

export const fromPlaceCursor = (text: string | undefined): OrderSortKey | null => {
  if (text === undefined) return null;
  const [orderedAt, arrival] = text.split('_');
  return { orderedAt: Number(orderedAt), arrival: Number(arrival) };
};

export const SequenceCursor = cursor('^[0-9]{1,15}$');

export const fromSequenceCursor = (text: string | undefined): number | null =>
  text === undefined ? null : Number(text);
