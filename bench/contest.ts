import type { Bench, Table } from './bench.ts';
import type { LoadPlan } from './load.ts';
import { medianAndRange, ratiosOf, type Spread, spreadOf } from './statistics.ts';
import { cpuSecondsOf, type Subject } from './subjects.ts';

/** One who takes part: a subject under one kind of load. */
export interface Contender {
  readonly name: string;
  readonly subject: Subject;
  readonly kind: LoadPlan['kind'];
  readonly connections: number;
  /** Does Kafka work for it? */
  readonly onKafka: boolean;
}

/** One value a round; NaN where the system does not tell. */
interface Measured {
  readonly perSecond: number[];
  /** CPU time of the subject, and of Kafka meanwhile, in microseconds a request. */
  readonly cpuUs: number[];
  readonly kafkaCpuUs: number[];
  readonly p50: number[];
  readonly p99: number[];
  readonly generatorUs: number[];
}

export interface Contest {
  of(name: string): Measured;
  ratio(measure: 'perSecond' | 'cpuUs', of: string, to: string): Spread;
  table(title: string): Table;
}

/**
 * Lets the contenders take turns, once each in a round, after a round that does not count, in which everything gets warm.
 * @param firstOrder the number of the first order that a subject does not have yet
 */
export const contest = async (
  { scale, load, kafka, progress }: Bench,
  contenders: readonly Contender[],
  firstOrder = 1,
): Promise<Contest> => {
  const measured = new Map<string, Measured>();
  for (const { name } of contenders)
    measured.set(name, { perSecond: [], cpuUs: [], kafkaCpuUs: [], p50: [], p99: [], generatorUs: [] });
  const nextOrder = new Map<Subject, number>();

  const turn = async (contender: Contender, into: Measured | null): Promise<void> => {
    const { subject, kind, connections } = contender;
    const from = nextOrder.get(subject) ?? firstOrder;
    const cpu = cpuSecondsOf(subject.pid);
    const kafkaCpu = cpuSecondsOf(kafka.pid);
    const plan = {
      url: subject.url,
      kind,
      connections,
      seconds: scale.seconds,
      from,
      arrivalsPerSecond: null,
      readUrl: null,
    };
    const { requests, perSecond, answered, generatorUs } = await load.run(plan);
    if (kind === 'create') nextOrder.set(subject, from + requests);
    into?.perSecond.push(perSecond);
    into?.cpuUs.push(((cpuSecondsOf(subject.pid) - cpu) * 1e6) / requests);
    into?.kafkaCpuUs.push(((cpuSecondsOf(kafka.pid) - kafkaCpu) * 1e6) / requests);
    into?.p50.push(answered.p50);
    into?.p99.push(answered.p99);
    into?.generatorUs.push(generatorUs);
  };

  for (let round = 0; round <= scale.rounds; round++) {
    const first = round % contenders.length;
    // Creates first of all in the round that does not count, so that there is something to update.
    const order = round === 0 ? contenders : [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const contender of order) {
      progress(`${round === 0 ? 'warming up' : `round ${round} of ${scale.rounds}`}: ${contender.name}`);
      await turn(contender, round === 0 ? null : of(contender.name));
    }
  }

  function of(name: string): Measured {
    const found = measured.get(name);
    if (found === undefined) throw new Error(`${name} took no part`);
    return found;
  }

  return {
    of,
    ratio: (measure, one, other) => ratiosOf(of(one)[measure], of(other)[measure]),
    table: (title) => ({
      title,
      columns: [
        '',
        'connections',
        'requests/s',
        'range',
        'CPU us',
        'Kafka CPU us',
        'p50 ms',
        'p99 ms',
        'generator CPU us',
      ],
      rows: contenders.map((contender) => {
        const { perSecond, cpuUs, kafkaCpuUs, p50, p99, generatorUs } = of(contender.name);
        return [
          contender.name,
          `${contender.connections}`,
          ...medianAndRange(perSecond),
          median(cpuUs, 0),
          contender.onKafka ? median(kafkaCpuUs, 0) : '',
          median(p50, 2),
          median(p99, 1),
          median(generatorUs, 0),
        ];
      }),
    }),
  };
};

const median = (values: readonly number[], digits: number): string => spreadOf(values).median.toFixed(digits);
