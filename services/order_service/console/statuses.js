/** The statuses of `models.ts`. A browser cannot load that file, so a test compares the two. */
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
