/** Where an order can be, as `models.ts` has it: a browser cannot load that, so a test holds the two together. */
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
