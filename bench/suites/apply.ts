import { atLeast, type Suite } from '../bench.ts';
import { consume, type ConsumeReport } from '../consume.ts';
import { makeTopic } from '../events.ts';
import { medianAndRange, ratiosOf, spreadOf } from '../statistics.ts';

/**
 * Applies a whole log: the Order Service, compared with a consumer that only parses and one that commits each event.
 */
export const apply: Suite = async ({ kafka: { bootstrapServers }, scale, progress }) => {
  progress(`writing ${scale.many} events twice`);
  const random = await makeTopic(bootstrapServers, { count: scale.many, ids: 'random' });
  const ordered = await makeTopic(bootstrapServers, { count: scale.many, ids: 'time-ordered' });
  const contenders = {
    'apply, random ids': { how: 'apply', topic: random, events: scale.many },
    'parse only': { how: 'parse', topic: random, events: scale.many },
    'apply, time-ordered ids': { how: 'apply', topic: ordered, events: scale.many },
    'a commit for each event': { how: 'commit each', topic: random, events: scale.slowEvents },
  } as const;
  const reports = new Map<string, ConsumeReport[]>();
  for (let round = 1; round <= scale.rounds; round++) {
    for (const [name, job] of Object.entries(contenders)) {
      progress(`round ${round} of ${scale.rounds}: ${name}`);
      const report = await consume({ ...job, bootstrapServers });
      reports.set(name, [...(reports.get(name) ?? []), report]);
    }
  }
  const rates = (name: keyof typeof contenders): number[] =>
    (reports.get(name) ?? []).map(({ perSecond }) => perSecond);
  const applied = rates('apply, random ids');
  return {
    figures: [
      atLeast('apply / parse only, random ids', 0.35, ratiosOf(applied, rates('parse only'))),
      atLeast('apply / a commit for each event', 20, ratiosOf(applied, rates('a commit for each event'))),
      atLeast('apply, random ids / time-ordered ids', 0.8, ratiosOf(applied, rates('apply, time-ordered ids'))),
    ],
    tables: [
      {
        title: `Consumers of ${scale.many} events`,
        columns: ['', 'events/s', 'range', 'CPU us'],
        rows: Array.from(reports, ([name, rounds]) => [
          name,
          ...medianAndRange(rounds.map(({ perSecond }) => perSecond)),
          spreadOf(rounds.map(({ cpuUs }) => cpuUs)).median.toFixed(1),
        ]),
      },
    ],
  };
};
