import { setTimeout as sleep } from 'node:timers/promises';
import type { Fault } from '#tests/faults/fault.ts';
import type { Trouble } from '#tests/faults/proxy.ts';

/** Faults of the network between the services and a healthy broker. */

const TROUBLE_MS = 5_000;

/** Played in turn: from a distant data centre to a nearly useless connection. */
const DELAYS_MS = [50, 200, 1_000, 5_000];

const trouble = (name: string, title: string, troubleOf: (round: number) => Trouble): Fault => ({
  name: `network-${name}`,
  title: `network: ${title}, for ${TROUBLE_MS / 1_000} s`,
  rounds: { full: 10, short: 1 },
  on: { broker: 'kafka', proxied: true },
  async run(stage, round) {
    stage.proxy.trouble = troubleOf(round);
    await sleep(TROUBLE_MS);
    stage.proxy.trouble = { kind: 'none' };
    stage.healed();
  },
});

export const networkRows: readonly Fault[] = [
  trouble('delay', 'everything late by 50 to 5,000 ms', (round) => ({
    kind: 'delay',
    ms: DELAYS_MS[round % DELAYS_MS.length] ?? 0,
  })),
  trouble('trickle', 'a byte at a time', () => ({ kind: 'trickle' })),
  trouble('reset', 'every connection reset', () => ({ kind: 'reset' })),
  trouble('half-open', 'the broker gone without a word', () => ({ kind: 'half_open' })),
  trouble('black-hole-to-broker', 'what goes to the broker vanishes', () => ({
    kind: 'black_hole',
    direction: 'to_broker',
  })),
  trouble('black-hole-to-client', 'what comes from the broker vanishes', () => ({
    kind: 'black_hole',
    direction: 'to_client',
  })),
  trouble('lost-acks', 'every Produce response lost', () => ({ kind: 'drop_produce_responses' })),
];
