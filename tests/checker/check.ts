import { agreementRules } from './agreement.ts';
import { filesByOrder, type OrderFile } from './by_order.ts';
import type { Evidence, Violation } from './evidence.ts';
import { promiseRules } from './promises.ts';
import { runningRules } from './running.ts';
import { storyOf } from './story.ts';

/** Whether an order bears a rule out: what is wrong with it, or null. */
export interface OrderRule {
  readonly invariant: Violation['invariant'];
  readonly name: string;
  readonly isBroken: (file: OrderFile, evidence: Evidence) => boolean;
}

/** The same for what concerns no single order: an account of what is wrong, or nothing. */
export interface SystemRule {
  readonly invariant: Violation['invariant'];
  readonly name: string;
  readonly breaches: (evidence: Evidence) => readonly string[];
}

/** Decides the invariants I1 to I8 of the evidence. An empty result: all hold. */
export const check = (evidence: Evidence): Violation[] => {
  const files = [...filesByOrder(evidence).values()];
  const ofOrders = [...promiseRules, ...agreementRules.orders, ...runningRules.orders].flatMap((rule) =>
    files
      .filter((file) => rule.isBroken(file, evidence))
      .map((file) => ({ ...named(rule), orderId: file.orderId, story: `${title(rule)}\n${storyOf(file)}` })),
  );
  const ofTheSystem = [...agreementRules.system, ...runningRules.system].flatMap((rule) =>
    rule
      .breaches(evidence)
      .map((account) => ({ ...named(rule), orderId: null, story: `${title(rule)}\n  ${account}` })),
  );
  return [...ofOrders, ...ofTheSystem];
};

type Named = Pick<Violation, 'invariant' | 'name'>;

const named = ({ invariant, name }: Named): Named => ({ invariant, name });

const title = ({ invariant, name }: Named): string => `${invariant}: ${name}`;
