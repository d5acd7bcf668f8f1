import { Counter, Gauge, type Registry } from 'prom-client';
import type { ConsumerDb } from './consumer_db.ts';
import type { RunnerStatus } from './consumer_runner.ts';

/** The metrics of the read path, asked for whenever they are read. */
export const registerConsumerMetrics = (
  registry: Registry,
  db: Pick<ConsumerDb, 'counts'>,
  status: () => RunnerStatus,
): void => {
  const registers = [registry];
  const counter = (name: string, help: string, read: () => number): void => {
    const created: Counter = new Counter({
      name,
      help,
      registers,
      collect: () => {
        created.reset();
        created.inc(read());
      },
    });
  };
  counter('order_events_applied_total', 'Events applied', () => status().outcomes.applied);
  counter('order_events_duplicate_total', 'Events ignored as duplicate or older', () => status().outcomes.duplicate);
  counter('order_events_waiting_total', 'Statuses that came before their order', () => status().outcomes.waiting);
  counter('order_dead_letters_total', 'Messages set aside', () => status().deadLetters);
  counter('order_key_mismatches_total', 'Events under another key than their id', () => status().keyMismatches);
  counter('order_positions_lost_total', 'Positions that the log no longer held', () => status().positionsLost);

  const consuming: Gauge = new Gauge({
    name: 'order_consuming',
    help: '1 while the topic is consumed',
    registers,
    collect: () => consuming.set(status().state === 'consuming' ? 1 : 0),
  });
  const lag: Gauge<'partition'> = new Gauge({
    name: 'order_lag_records',
    help: 'Records still to read when the last batch was',
    labelNames: ['partition'],
    registers,
    collect: () => {
      lag.reset();
      for (const [partition, records] of Object.entries(status().lag)) lag.set({ partition }, records);
    },
  });
  const stored: Gauge<'kind'> = new Gauge({
    name: 'order_stored',
    help: 'What the view holds',
    labelNames: ['kind'],
    registers,
    collect: async () => {
      for (const [kind, count] of Object.entries(await db.counts())) stored.set({ kind }, count);
    },
  });
};
