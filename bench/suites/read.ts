import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentMemory } from '../../tests/support/resident_memory.ts';
import { atLeast, atMost, inTempDir, type Suite } from '../bench.ts';
import { contest } from '../contest.ts';
import { fillView } from '../setting.ts';
import { medianAndRange, spreadOf } from '../statistics.ts';
import { startPeer, startService, type Subject } from '../subjects.ts';

const TOPIC = 'orders.events';
/** Of other requests while a list is read. */
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
        // The two names and the topic are quoted, too.
        resolve({ firstByteMs, ms: performance.now() - started, ids: (quotes - 6) / 2 }),
      );
    }).once('error', reject);
  });

const QUOTE = 0x22;

/** Reads of a view with many orders: one of them beside a service that reads nothing, and the list of all. */
export const read: Suite = (bench) =>
  inTempDir(async (directory) => {
    const { scale, progress, load } = bench;
    progress(`writing a view of ${scale.many} orders`);
    await fillView(join(directory, 'embedded'), scale.many);
    const order = await startService('order_service', { DATA_DIR: directory, ORDERS_TOPIC: TOPIC });
    const bare = await startPeer('bare_fastify.ts');
    try {
      const first = scale.many + 1;
      const result = await contest(
        bench,
        [
          { name: 'order-details, 50', subject: order, kind: 'details', connections: 50, onKafka: false },
          { name: 'bare Fastify, 50', subject: bare, kind: 'details', connections: 50, onKafka: false },
        ],
        first,
      );

      const listings: Listing[] = [];
      const p99s: number[] = [];
      const growths: number[] = [];
      for (let round = 1; round <= scale.rounds; round++) {
        progress(`round ${round} of ${scale.rounds}: the list of ${scale.many} ids`);
        const before = residentMemory(order.pid).now;
        let most = before;
        let listing: Listing | null = null;
        const listed = list(order).then((done) => (listing = done));
        // Begins with the list and lasts about as long.
        const meanwhile = load.run({
          url: order.url,
          kind: 'details',
          connections: 10,
          seconds: Math.max(0.3, (listings.at(-1)?.ms ?? 1_000) / 1_000),
          from: first,
          arrivalsPerSecond: MEANWHILE_PER_SECOND,
          readUrl: null,
        });
        while (listing === null) {
          await sleep(10);
          most = Math.max(most, residentMemory(order.pid).now);
        }
        const { ids } = await listed;
        if (ids !== scale.many) throw new Error(`the list has ${ids} ids of ${scale.many}`);
        listings.push(await listed);
        growths.push((most - before) / 1e6);
        p99s.push((await meanwhile).answered.p99);
      }
      return {
        figures: [
          atLeast(
            `order-details / bare Fastify, 50 connections, ${scale.many} orders`,
            0.8,
            result.ratio('perSecond', 'order-details, 50', 'bare Fastify, 50'),
          ),
          atMost(
            `list of ${scale.many} ids, first byte`,
            50,
            spreadOf(listings.map(({ firstByteMs }) => firstByteMs)),
            'ms',
          ),
          atMost(`list of ${scale.many} ids, growth of memory`, 20, spreadOf(growths), 'MB'),
          atMost(`list of ${scale.many} ids, p99 of other requests meanwhile`, 30, spreadOf(p99s), 'ms'),
        ],
        tables: [
          result.table(`Reads of ${scale.many} orders`),
          {
            title: `The list of ${scale.many} ids`,
            columns: ['', 'median', 'range'],
            rows: [['whole list, ms', ...medianAndRange(listings.map(({ ms }) => ms))]],
          },
        ],
      };
    } finally {
      await Promise.all([order.kill(), bare.kill()]);
    }
  });
