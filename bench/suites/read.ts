import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMemory } from '../../tests/support/resident_memory.ts';
import { atLeast, atMost, type Bench, type Figure, inTempDir, type Suite } from '../bench.ts';
import { contest } from '../contest.ts';
import { fillView } from '../setting.ts';
import { medianAndRange, spreadOf } from '../statistics.ts';
import { startPeer, startService, type Subject } from '../subjects.ts';

const TOPIC = 'orders.events';
/** The rate of other requests while a list is read. */
const MEANWHILE_PER_SECOND = 500;

interface Listing {
  readonly firstByteMs: number;
  readonly ms: number;
  readonly ids: number;
}

const list = ({ url }: Subject): Promise<Listing> =>
  new Promise((resolve, reject) => {
    const started = performance.now();
    get(`${url}/getAllOrderIdsFromTopic?topicName=${TOPIC}`, (response) => {
      let firstByteMs = 0;
      let quotes = 0;
      response.on('data', (chunk: Buffer) => {
        if (firstByteMs === 0) firstByteMs = performance.now() - started;
        for (const byte of chunk) if (byte === QUOTE) quotes += 1;
      });
      response.once('error', reject);
      response.once('end', () =>
        // Six quotes belong to the two field names and the topic.
        resolve({ firstByteMs, ms: performance.now() - started, ids: (quotes - 6) / 2 }),
      );
    }).once('error', reject);
  });

const QUOTE = 0x22;

/**
 * Reads of a view with many orders: single orders, compared with a service that reads nothing, and the list of all ids.
 */
export const read: Suite = (bench) =>
  inTempDir(async (directory) => {
    const { scale, progress } = bench;
    progress(`writing a view of ${scale.many} orders`);
    await fillView(join(directory, 'embedded'), scale.many);
    const order = await startService('order_service', { DATA_DIR: directory, ORDERS_TOPIC: TOPIC });
    const bare = await startPeer('bare_fastify.ts');
    try {
      const result = await contest(
        bench,
        [
          { name: 'order-details, 50', subject: order, kind: 'details', connections: 50, onKafka: false },
          { name: 'bare Fastify, 50', subject: bare, kind: 'details', connections: 50, onKafka: false },
        ],
        scale.many + 1,
      );
      const rounds: ListRound[] = [];
      for (let round = 1; round <= scale.rounds; round++) {
        progress(`round ${round} of ${scale.rounds}: the list of ${scale.many} ids`);
        rounds.push(await listUnderLoad(bench, order, rounds.at(-1)?.listing.ms ?? 1_000));
      }
      return {
        figures: [
          atLeast(
            `order-details / bare Fastify, 50 connections, ${scale.many} orders`,
            0.8,
            result.ratio('perSecond', 'order-details, 50', 'bare Fastify, 50'),
          ),
          ...listFigures(scale.many, rounds),
        ],
        tables: [
          result.table(`Reads of ${scale.many} orders`),
          {
            title: `The list of ${scale.many} ids`,
            columns: ['', 'median', 'range'],
            rows: [['whole list, ms', ...medianAndRange(rounds.map(({ listing }) => listing.ms))]],
          },
        ],
      };
    } finally {
      await Promise.all([order.kill(), bare.kill()]);
    }
  });

interface ListRound {
  readonly listing: Listing;
  /** How much resident memory grew meanwhile, in MB. */
  readonly growthMb: number;
  /** The p99 of other requests meanwhile, in ms. */
  readonly othersP99: number;
}

/** Reads the list once, under load. @param expectedMs about how long the list takes: the load lasts as long */
const listUnderLoad = async ({ scale, load }: Bench, order: Subject, expectedMs: number): Promise<ListRound> => {
  const before = residentMemory(order.pid).now;
  let most = before;
  let isDone = false;
  const listed = list(order).finally(() => (isDone = true));
  const others = load.run({
    url: order.url,
    kind: 'details',
    connections: 10,
    seconds: Math.max(0.3, expectedMs / 1_000),
    from: scale.many + 1,
    arrivalsPerSecond: MEANWHILE_PER_SECOND,
    readUrl: null,
  });
  while (!isDone) {
    await sleep(10);
    most = Math.max(most, residentMemory(order.pid).now);
  }
  const listing = await listed;
  if (listing.ids !== scale.many) throw new Error(`the list has ${listing.ids} ids, but must have ${scale.many}`);
  return { listing, growthMb: (most - before) / 1e6, othersP99: (await others).answered.p99 };
};

const listFigures = (many: number, rounds: readonly ListRound[]): Figure[] => [
  atMost(`list of ${many} ids, first byte`, 50, spreadOf(rounds.map(({ listing }) => listing.firstByteMs)), 'ms'),
  atMost(`list of ${many} ids, growth of memory`, 20, spreadOf(rounds.map(({ growthMb }) => growthMb)), 'MB'),
  atMost(
    `list of ${many} ids, p99 of other requests meanwhile`,
    30,
    spreadOf(rounds.map(({ othersP99 }) => othersP99)),
    'ms',
  ),
];
