import { agreementRules } from './agreement.ts';
import { attemptRules } from './attempts.ts';
import { filesByOrder } from './by_order.ts';
import type { Evidence, Violation } from './evidence.ts';
import { promiseRules } from './promises.ts';
import type { OrderRule, SystemRule } from './rule.ts';
import { runningRules } from './running.ts';
import { sharedLogRules } from './shared_log.ts';
import { storyOf } from './story.ts';

/** Checks the invariants I1 to I9. @returns the violations; empty if all invariants hold */
export const check = (evidence: Evidence): Violation[] => {
  const files = [...filesByOrder(evidence).values()];
  const orderRules: readonly OrderRule[] = [
    ...promiseRules,
    ...attemptRules,
    ...agreementRules.orders,
    ...runningRules.orders,
    ...sharedLogRules.orders,
  ];
  const systemRules: readonly SystemRule[] = [
    ...agreementRules.system,
    ...runningRules.system,
    ...sharedLogRules.system,
  ];
  const inOrders = orderRules.flatMap((rule) =>
    files
      .filter((file) => rule.isBroken(file, evidence))
      .map((file) => ({ ...named(rule), orderId: file.orderId, story: `${title(rule)}\n${storyOf(file)}` })),
  );
  const inSystem = systemRules.flatMap((rule) =>
    rule
      .breaches(evidence)
      .map((account) => ({ ...named(rule), orderId: null, story: `${title(rule)}\n  ${account}` })),
  );
  return [...inOrders, ...inSystem];
};

type Named = Pick<Violation, 'invariant' | 'name'>;

const named = ({ invariant, name }: Named): Named => ({ invariant, name });

const title = ({ invariant, name }: Named): string => `${invariant}: ${name}`;
