import type { Broker, Topic } from '#kafka_common/broker.ts';
import { describeBroker } from '#kafka_common/config.ts';
import { endsOf } from '#kafka_common/ends_of.ts';
import { createRedriveProof, type RedriveProof } from '#order_service/redrive/redrive_proof.ts';
import { openRedriveKey, openViewRebuild } from '#order_service/store/consumer_db_factory.ts';
import type { ViewRebuild } from '#order_service/store/view_rebuild.ts';
import { openTopic } from '../broker_client.ts';
import { defineCommand } from '../command.ts';
import { EXIT, failed } from '../failures.ts';
import { flag } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { createViewBuilder } from './build.ts';
import { buildAndCompare, type Comparison } from './compare_views.ts';
import { type BuiltView, type Ending, jsonResult, resultLines } from './report.ts';

export const rebuild = defineCommand({
  name: 'rebuild',
  summary: 'Builds the view of the Order Service again from the log, and compares it with the present one.',
  details: `A second view is built beside the live one, from all that the topic holds. The Order Service may go on running.
At the positions of the live view, the two are compared order by order: status, version, contents, and pending
statuses. Then the second view takes the place of the live one: at once if no Order Service runs on it, otherwise
when one is started next. The former view is kept, and the result says where.
The settings are those of the service (KAFKA_BOOTSTRAP_SERVERS, DATA_DIR, ORDERS_TOPIC). The command runs where
the files of the service are. After an exchange, clients of GET /events/stream get a reset when they connect again:
the sequence of events across orders can be another one, and so can the ids of dead letters.`,
  options: {
    'dry-run': flag('build and compare only'),
    force: flag('exchange also if the live view has orders that the log does not have: they are lost'),
    json: flag('the result as one line of JSON'),
  },
  found: 'the views differ, the live one cannot be read, or nothing was exchanged',
  examples: [
    ['-- --dry-run', 'is the view what the log says?'],
    ['', 'build it again, and put it into place'],
    ['--silent -- --dry-run --json', 'for a script'],
  ],
  run: async ({ values, terminal, signal }) => {
    const { config, broker, topic, close } = await openTopic();
    try {
      const { dataDir } = config;
      terminal.note(`reading ${topic.name} on ${describeBroker(config)}, for the view in ${dataDir}`);
      const second = await openViewRebuild(config);
      if (second === null) throw failed(`another rebuild is under way in ${dataDir}`);
      try {
        const redriveProof = createRedriveProof(openRedriveKey(config));
        const work = { rebuild: second, broker, topic, redriveProof, terminal, signal };
        const built = await build(work, values['dry-run']);
        signal.throwIfAborted();
        const ending = await end(second, built.comparison, values['dry-run'], values.force);
        const lines = values.json ? [jsonResult(built, ending)] : resultLines(built, ending, topic.name);
        for (const line of lines) await terminal.print(line);
        return isWell(built.comparison) && ending.kind !== 'refused' ? EXIT.done : EXIT.failed;
      } finally {
        await second.close();
      }
    } finally {
      await close();
    }
  },
});

interface Work {
  readonly rebuild: ViewRebuild;
  readonly broker: Broker;
  readonly topic: Topic;
  readonly redriveProof: RedriveProof;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

const build = async (work: Work, isDryRun: boolean): Promise<BuiltView> => {
  const { broker, topic, redriveProof, terminal, signal } = work;
  const { db } = work.rebuild;
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1_000;
  const total = (await broker.bounds(topic.name)).values().reduce((sum, { start, end: to }) => sum + to - start, 0);
  const onProgress = (messages: number): void => {
    const share = total === 0 ? 100 : Math.min(100, Math.floor((messages / total) * 100));
    terminal.progress(`${messages} messages applied, ${share} %, ${Math.round(messages / seconds())} a second`);
  };
  const builder = createViewBuilder({ db, broker, topic, redriveProof, signal, onProgress });
  const comparison = await buildAndCompare({ ...work, builder });
  // The service that takes the view up has less to read.
  if (!isDryRun) await builder.buildUpTo(await endsOf(broker, topic.name));
  const { orders, pending, deadLetters } = await db.counts();
  return { messages: builder.messages(), orders, pending, deadLetters, seconds: seconds(), comparison };
};

const end = async (
  second: ViewRebuild,
  { notInLog }: Comparison,
  isDryRun: boolean,
  force: boolean,
): Promise<Ending> => {
  if (isDryRun) return { kind: 'discarded' };
  if (notInLog > 0 && !force) return { kind: 'refused' };
  return second.exchange();
};

const isWell = ({ kind, count }: Comparison): boolean => (kind === 'none' || kind === 'compared') && count === 0;
