import { atMost, inTempDir, type Suite } from '../bench.ts';
import type { LoadResult } from '../load.ts';
import { freshSettings, untilReady } from '../setting.ts';
import { spreadOf } from '../statistics.ts';
import { startService } from '../subjects.ts';

const PER_SECOND = 1_000;
const CONNECTIONS = 100;

/** The time from the 200 of the Cart Service until the Order Service has the order, at a steady rate of arrivals. */
export const latency: Suite = ({ kafka: { bootstrapServers }, scale, load, progress }) =>
  inTempDir(async (directory) => {
    const on = async (broker: string): Promise<LoadResult[]> => {
      const env = freshSettings(directory, broker);
      const [cart, order] = await Promise.all([startService('cart_service', env), startService('order_service', env)]);
      try {
        await Promise.all([untilReady(cart), untilReady(order)]);
        const results: LoadResult[] = [];
        let from = 1;
        for (let round = 0; round <= scale.rounds; round++) {
          progress(`${broker === '' ? 'embedded broker' : 'Kafka'}: round ${round} of ${scale.rounds}`);
          const result = await load.run({
            url: cart.url,
            readUrl: order.url,
            kind: 'create',
            connections: CONNECTIONS,
            seconds: 2 * scale.seconds,
            from,
            arrivalsPerSecond: PER_SECOND,
          });
          from += result.requests;
          if (round > 0) results.push(result);
        }
        return results;
      } finally {
        await Promise.all([cart.kill(), order.kill()]);
      }
    };
    const onKafka = await on(bootstrapServers);
    const onEmbedded = await on('');
    return {
      figures: [
        atMost('200 to readable at 1,000 creates/s, p50', 1, spread(onKafka, 'readable', 'p50'), 'ms'),
        atMost('200 to readable at 1,000 creates/s, p99', 10, spread(onKafka, 'readable', 'p99'), 'ms'),
      ],
      tables: [
        {
          title: 'At 1,000 creates/s, in ms',
          columns: ['', 'answered p50', 'p99', 'readable p50', 'p99'],
          rows: [['Kafka', onKafka] as const, ['embedded broker', onEmbedded] as const].map(([name, results]) => [
            name,
            ...(['answered', 'readable'] as const).flatMap((moment) =>
              (['p50', 'p99'] as const).map((q) => spread(results, moment, q).median.toFixed(2)),
            ),
          ]),
        },
      ],
    };
  });

const spread = (results: readonly LoadResult[], moment: 'answered' | 'readable', q: 'p50' | 'p99') =>
  spreadOf(results.map((result) => result[moment][q]));
