import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { backlogRows } from './backlog.ts';
import { replayRows } from './replay.ts';
import { storeRows } from './stores.ts';

/** How long the load runs between the start and the kill. */
const BEFORE_KILL_MS = { least: 200, most: 1_500 };
const DEAD_MS = { least: 100, most: 1_000 };

const embeddedKill: Fault = {
  name: 'embedded-kill',
  title: 'embedded broker: two processes on one file, each kill -9ed in turn under load',
  rounds: { full: 40, short: 4 },
  on: { broker: 'embedded' },

  async run(stage, round) {
    // In turn: the cart alone, the order service alone, both at once (as when the user logs out).
    const victims = [[stage.cart], [stage.order], [stage.cart, stage.order]][round % 3] ?? [];
    await sleep(between(stage, BEFORE_KILL_MS));
    await Promise.all(victims.map((service) => service.kill()));
    await sleep(between(stage, DEAD_MS));
    await Promise.all(victims.map((service) => service.start()));
    stage.healed();
  },
};

const onEmbeddedBroker = (fault: Fault): Fault => ({
  ...fault,
  name: `${fault.name}-embedded`,
  title: `embedded broker: ${fault.title}`,
  on: { broker: 'embedded' },
});

/** Rows for the embedded broker. Its crash points and full disk have their own rows; poison and cuts need Kafka. */
export const embeddedRows: readonly Fault[] = [
  embeddedKill,
  ...[...replayRows, ...storeRows, ...backlogRows].map(onEmbeddedBroker),
];

const between = (stage: Stage, { least, most }: { least: number; most: number }): number =>
  least + stage.random() * (most - least);
