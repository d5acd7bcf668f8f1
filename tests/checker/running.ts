import type { OrderRule, SystemRule } from './rule.ts';

/** Rules about the running services: they do not crash, they answer in time, and they stay within their memory. */
const orders: readonly OrderRule[] = [
  {
    invariant: 'I6',
    name: 'an answer was a fault of the service',
    // `StoreUnavailable` has an outcome, which other rules check.
    isBroken: ({ exchanges }) =>
      exchanges.some(({ answer }) => answer?.status === 500 && answer.code !== 'StoreUnavailable'),
  },
  {
    invariant: 'I7',
    name: 'a request was not answered in time',
    isBroken: ({ exchanges }, { limits }) =>
      exchanges.some(({ askedAt, endedAt }) => endedAt - askedAt > limits.answerMs),
  },
  {
    invariant: 'I8',
    name: 'a request was refused though nothing failed',
    isBroken: ({ exchanges }, { calmFrom = Infinity }) =>
      exchanges.some(
        ({ askedAt, answer, isLarge }) =>
          askedAt >= calmFrom &&
          isLarge !== true &&
          answer !== null &&
          answer.status >= 500 &&
          !ALLOWED_IN_CALM.includes(answer.code ?? ''),
      ),
  },
];

/** What a full room, a full disk or a failed planning causes. */
const ALLOWED_IN_CALM = ['ProducerQueueFull', 'StoreUnavailable'];

const system: readonly SystemRule[] = [
  {
    invariant: 'I6',
    name: 'a service has crashed',
    breaches: ({ processes }) => processes.flatMap(({ name, crashes }) => crashes.map((how) => `${name}: ${how}`)),
  },
  {
    invariant: 'I6',
    name: 'a request that could not be planned failed others',
    breaches: ({ exchanges, planningFaults = [] }) =>
      [...new Set(planningFaults)].flatMap((at) => {
        const faults = planningFaults.filter((other) => other === at).length;
        const failed = exchanges.filter(({ endedAt, answer }) => endedAt === at && answer?.code === 'StoreUnavailable');
        return failed.length > faults
          ? [`at ${at.toFixed(0)} ms: ${faults} faults failed ${failed.length} requests`]
          : [];
      }),
  },
  {
    invariant: 'I6',
    name: 'a service used too much memory',
    breaches: ({ processes, limits }) =>
      processes
        .filter(({ peakResidentBytes }) => peakResidentBytes > limits.residentBytes)
        .map(({ name, peakResidentBytes }) => `${name}: ${Math.round(peakResidentBytes / 1_000_000)} MB`),
  },
  {
    invariant: 'I8',
    name: 'no write was answered 200 in time after the heal',
    breaches: ({ heals, limits }) =>
      heals.flatMap(({ at, first200At }) =>
        first200At !== null && first200At - at <= limits.first200Ms
          ? []
          : [
              `healed at ${at.toFixed(0)} ms, ${first200At === null ? 'no 200 came' : `the first 200 after ${(first200At - at).toFixed(0)} ms`}`,
            ],
      ),
  },
];

export const runningRules = { orders, system };
