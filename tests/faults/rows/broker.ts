import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { withoutSignals } from './needs_signals.ts';

/** One broker, which is killed or stopped. */

/** Evenly distributed on a logarithmic scale, because short and long outages meet different parts of the client. */
const DOWN_MS = { least: 500, most: 10_000 };

const killed: Fault = {
  name: 'broker-kill',
  title: 'broker kill -9, restarted after 0.5 to 10 s',
  rounds: { full: 100, short: 3 },
  on: { broker: 'kafka' },
  async run(stage) {
    const [broker] = stage.kafka;
    await broker?.kill();
    await sleep(DOWN_MS.least * (DOWN_MS.most / DOWN_MS.least) ** stage.random());
    await broker?.restart();
    stage.healed();
  },
};

const stopped = (seconds: number, rounds: Fault['rounds']): Fault => ({
  name: `broker-stop-${seconds}s`,
  title: `broker SIGSTOP for ${seconds} s`,
  rounds,
  on: { broker: 'kafka' },
  cannotRun: withoutSignals,
  async run(stage: Stage) {
    const [broker] = stage.kafka;
    await broker?.pause();
    await sleep(seconds * 1_000);
    await broker?.resume();
    stage.healed();
  },
});

export const brokerRows: readonly Fault[] = [
  killed,
  stopped(1, { full: 5, short: 2 }),
  stopped(10, { full: 5, short: 1 }),
  stopped(40, { full: 5, short: 0 }),
  stopped(90, { full: 5, short: 0 }),
];
