/** What a broker does with the messages for one partition. */
export type Treatment =
  | { readonly kind: 'written' }
  | { readonly kind: 'refused' }
  /** Lost on the way to the broker; the client does not know it. */
  | { readonly kind: 'lost' }
  /** Written, but the acknowledgement is lost. */
  | { readonly kind: 'ack_lost' }
  /** Their fate is `unknown`, and they are written `ms` later. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Written at once, and again `ms` later. */
  | { readonly kind: 'twice'; readonly ms: number }
  /** The first ones are written; the fate of the rest is `not_written` (`refused`) or `unknown` (`lost`). */
  | { readonly kind: 'partly'; readonly written: number; readonly rest: 'refused' | 'lost' };

/** How the brokers behave, call by call. */
export interface Weather {
  treat(node: number): Treatment;
  /** For an unknown fate: true if the client waits for its time-out, false if its connection is reset. */
  isSilent(node: number): boolean;
  /** How long the broker delays the answer to a publish. */
  delayMs(node: number): number;
  /** The most records in a fetch. */
  batchRecords(): number;
  /** True if a handled batch is delivered again. */
  redelivers(): boolean;
}

export const FAIR: Weather = {
  treat: () => ({ kind: 'written' }),
  isSilent: () => false,
  delayMs: () => 0,
  batchRecords: () => 500,
  redelivers: () => false,
};
