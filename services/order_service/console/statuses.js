/** Where an order can be, as a person would list them. */
export const STATUSES = [
  'new',
  'pending',
  'confirmed',
  'processing',
  'dispatched',
  'shipped',
  'delivered',
  'completed',
  'cancelled',
];
