import type { Bench, Table } from './bench.ts';
import type { LoadPlan } from './load.ts';
import { medianAndRange, ratiosOf, type Spread, spreadOf } from './statistics.ts';
import { cpuSecondsOf, type Subject } from './subjects.ts';

/** A subject under one kind of load. */
export interface Contender {
  readonly name: string;
  readonly subject: Subject;
  readonly kind: LoadPlan['kind'];
  readonly connections: number;
  /** Whether it uses Kafka, so that the CPU time of Kafka counts. */
  readonly onKafka: boolean;
}

/** One value per round; NaN if the system could not measure it. */
interface Measured {
  readonly perSecond: number[];
  /** CPU time per request in microseconds: of the subject, and of Kafka meanwhile. */
  readonly cpuUs: number[];
  readonly kafkaCpuUs: number[];
  readonly p50: number[];
  readonly p99: number[];
  readonly generatorUs: number[];
}

export interface Contest {
  measuredOf(name: string): Measured;
  ratio(measure: 'perSecond' | 'cpuUs', name: string, base: string): Spread;
  table(title: string): Table;
}

/**
 * Gives each contender one turn of load per round. The first round only warms up and does not count.
 * @param firstOrder the number of the first order that no subject has yet
 */
export const contest = async (bench: Bench, contenders: readonly Contender[], firstOrder = 1): Promise<Contest> => {
  const { scale, progress } = bench;
  const measured = new Map<string, Measured>(
    contenders.map(({ name }) => [
      name,
      { perSecond: [], cpuUs: [], kafkaCpuUs: [], p50: [], p99: [], generatorUs: [] },
    ]),
  );
  const measuredOf = (name: string): Measured => {
    const found = measured.get(name);
    if (found === undefined) throw new Error(`${name} is not a contender`);
    return found;
  };

  const nextOrder = new Map<Subject, number>();
  for (let round = 0; round <= scale.rounds; round++) {
    const first = round % contenders.length;
    // The warm-up keeps the given sequence, so that creates come before updates.
    const turns = round === 0 ? contenders : [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const contender of turns) {
      progress(`${round === 0 ? 'warming up' : `round ${round} of ${scale.rounds}`}: ${contender.name}`);
      const from = nextOrder.get(contender.subject) ?? firstOrder;
      const created = await playTurn(bench, contender, from, round === 0 ? null : measuredOf(contender.name));
      nextOrder.set(contender.subject, from + created);
    }
  }

  return {
    measuredOf,
    ratio: (measure, name, base) => ratiosOf(measuredOf(name)[measure], measuredOf(base)[measure]),
    table: (title) => ({
      title,
      columns: COLUMNS,
      rows: contenders.map((contender) => rowOf(contender, measuredOf(contender.name))),
    }),
  };
};

/** Plays one turn, and adds its values to `into`. @returns how many orders it has created */
const playTurn = async (
  { scale, load, kafka }: Bench,
  { subject, kind, connections }: Contender,
  from: number,
  into: Measured | null,
): Promise<number> => {
  const cpu = cpuSecondsOf(subject.pid);
  const kafkaCpu = cpuSecondsOf(kafka.pid);
  const { url } = subject;
  const plan = { url, kind, connections, seconds: scale.seconds, from, arrivalsPerSecond: null, readUrl: null };
  const { requests, perSecond, answered, generatorUs } = await load.run(plan);
  into?.perSecond.push(perSecond);
  into?.cpuUs.push(((cpuSecondsOf(subject.pid) - cpu) * 1e6) / requests);
  into?.kafkaCpuUs.push(((cpuSecondsOf(kafka.pid) - kafkaCpu) * 1e6) / requests);
  into?.p50.push(answered.p50);
  into?.p99.push(answered.p99);
  into?.generatorUs.push(generatorUs);
  return kind === 'create' ? requests : 0;
};

const COLUMNS = [
  '',
  'connections',
  'requests/s',
  'range',
  'CPU us',
  'Kafka CPU us',
  'p50 ms',
  'p99 ms',
  'generator CPU us',
];

const rowOf = (contender: Contender, { perSecond, cpuUs, kafkaCpuUs, p50, p99, generatorUs }: Measured): string[] => [
  contender.name,
  `${contender.connections}`,
  ...medianAndRange(perSecond),
  median(cpuUs, 0),
  contender.onKafka ? median(kafkaCpuUs, 0) : '',
  median(p50, 2),
  median(p99, 1),
  median(generatorUs, 0),
];

const median = (values: readonly number[], digits: number): string => spreadOf(values).median.toFixed(digits);
