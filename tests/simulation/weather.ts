/** What a broker does to the messages for one partition. */
export type Treatment =
  | { readonly kind: 'written' }
  | { readonly kind: 'refused' }
  /** On the way there, which nobody knows. */
  | { readonly kind: 'lost' }
  /** Written, but the acknowledgement is lost. */
  | { readonly kind: 'ack_lost' }
  /** The fate is told as unknown, and they are written after all, `ms` later. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Written at once, and again `ms` later. */
  | { readonly kind: 'twice'; readonly ms: number }
  /** The first ones are written, of the others it is told that they are not (`refused`) or nothing. */
  | { readonly kind: 'partly'; readonly written: number; readonly rest: 'refused' | 'lost' };

/** The moods of the brokers. */
export interface Weather {
  treat(node: number): Treatment;
  /** Where a fate is unknown: does the client wait for its time-out, or is its connection reset? */
  isSilent(node: number): boolean;
  /** How long an answer to a publish waits at the broker. */
  delayMs(node: number): number;
  /** The most records that a fetch gives. */
  batchRecords(): number;
  /** Is a batch that was handled given once more? */
  redelivers(): boolean;
}

export const FAIR: Weather = {
  treat: () => ({ kind: 'written' }),
  isSilent: () => false,
  delayMs: () => 0,
  batchRecords: () => 500,
  redelivers: () => false,
};
