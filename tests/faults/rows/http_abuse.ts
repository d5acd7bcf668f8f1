import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { eventually } from '#tests/support/eventually.ts';
import type { Fault, Service } from '#tests/faults/fault.ts';
import type { Load } from '#tests/faults/load.ts';
import { reportOf } from '#tests/faults/report_of.ts';
import type { AbuserJob } from './http_abuser.ts';
import { ABUSES } from './http_abuses.ts';

/** The longest wait for the end of an abuse. A whole request must arrive within 10 s, which is checked every second. */
const ENDED_MS = 20_000;
const GOOD_P99_MS = 1_000;
/** Connections that may stay open: good clients keep up to 512; a crowd of abusers has 1,000. */
const LEFT_OPEN = 600;
const CALM_MS = 2_000;
/** The fewest answers that give a meaningful p99. */
const TIMED = 300;
const ABUSER = new URL('http_abuser.ts', import.meta.url);

const httpAbuse: Fault = {
  name: 'http-abuse',
  title: `HTTP abuse: ${ABUSES.map(({ what }) => what).join(', ')}`,
  rounds: { full: 1, short: 1 },
  on: { broker: 'kafka' },

  async run(stage) {
    const calm = p99Of(await eventually(() => answerTimes(stage.load, performance.now() - CALM_MS), ENDED_MS));
    stage.note(`good clients' p99 before: ${calm.toFixed(0)} ms`);
    for (const service of [stage.cart, stage.order]) {
      const before = openFiles(service);
      for (const [index, abuse] of ABUSES.entries()) {
        const since = performance.now();
        const job = { index, port: Number(new URL(service.url).port), withinMs: ENDED_MS } satisfies AbuserJob;
        const ends = await reportOf<(number | null | 'open')[]>(ABUSER, job, 2 * ENDED_MS);
        const p99 = p99Of(await eventually(() => answerTimes(stage.load, since), ENDED_MS));
        const ways = Array.from(
          Map.groupBy(ends, (end) => end),
          ([end, all]) => `${all.length} x ${end ?? 'closed'}`,
        ).join(', ');
        stage.note(`${service.name}, ${abuse.what}: ${ways}; good clients' p99 ${p99.toFixed(0)} ms`);
        const wrong = ends.filter((end) => end === 'open' || !abuse.endsWith.includes(end));
        assert.equal(wrong.length, 0, `${service.name}, ${abuse.what}: ${ways}`);
        // `calm` is the p99 of this machine without abuse.
        assert.ok(
          p99 < GOOD_P99_MS * stage.patience + calm,
          `${abuse.what}: p99 of the good clients is ${p99.toFixed(0)} ms`,
        );
      }
      await eventually(() => {
        const left = openFiles(service) - before;
        assert.ok(!(left > LEFT_OPEN), `${left} connections or files stay open in the ${service.name}`);
      }, ENDED_MS);
    }
    stage.healed();
  },
};

export const httpAbuseRows: readonly Fault[] = [httpAbuse];

const p99Of = (times: readonly number[]): number => times[Math.floor(times.length * 0.99)] ?? 0;

/** The answer times of the good clients in ms, sorted. @throws while there are too few */
const answerTimes = ({ exchanges }: Load, since: number): number[] => {
  const answered = exchanges.filter(({ askedAt, answer }) => askedAt >= since && answer !== null);
  assert.ok(answered.length >= TIMED, `only ${answered.length} answers`);
  return answered.map(({ askedAt, endedAt }) => endedAt - askedAt).toSorted((a, b) => a - b);
};

/** The number of open files of a service; NaN on systems without /proc. */
const openFiles = ({ pid }: Service): number => {
  const directory = `/proc/${pid}/fd`;
  return existsSync(directory) ? readdirSync(directory).length : Number.NaN;
};
