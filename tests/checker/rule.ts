import type { OrderFile } from './by_order.ts';
import type { Evidence, Violation } from './evidence.ts';

/** A rule about single orders. */
export interface OrderRule {
  readonly invariant: Violation['invariant'];
  readonly name: string;
  readonly isBroken: (file: OrderFile, evidence: Evidence) => boolean;
}

/** A rule about the system as a whole. */
export interface SystemRule {
  readonly invariant: Violation['invariant'];
  readonly name: string;
  /** One line for each breach; empty if the rule holds. */
  readonly breaches: (evidence: Evidence) => readonly string[];
}
