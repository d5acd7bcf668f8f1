import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { readLog } from '#tests/faults/collect.ts';
import type { Fault, Stage } from '#tests/faults/fault.ts';
import { openRawTopic } from '#tests/faults/raw_topic.ts';

const TEN_YEARS_MS = 10 * 365 * 24 * 60 * 60 * 1_000;
const SHIFTED_MS = 3_000;
const SEEN_MS = 10_000;
const BACK_MS = 5_000;
const SHIFTED_CLOCK = new URL('../shifted_clock.ts', import.meta.url).href;

/**
 * @param shows checks that the service uses the shifted clock: otherwise the row proves nothing. Throws while it does
 * not
 */
const clockRow = (
  service: 'cart' | 'order',
  on: Fault['on'],
  shows: (stage: Stage, isShifted: (at: number) => boolean, isAhead: boolean) => Promise<void>,
): Fault => ({
  name: `clock-of-${service}`,
  title: `clock of the ${service} service set 10 years ahead, and 10 years back`,
  rounds: { full: 2, short: 1 },
  on,

  async run(stage) {
    const file = join(tempDir(), 'clock');
    const set = (shiftMs: number): void => writeFileSync(file, String(shiftMs));
    set(0);
    await stage[service].stop();
    await stage[service].start({ NODE_OPTIONS: `--import=${SHIFTED_CLOCK}`, SHIFTED_CLOCK_FILE: file });
    for (const shiftMs of [TEN_YEARS_MS, -TEN_YEARS_MS]) {
      const since = performance.now();
      set(shiftMs);
      await sleep(SHIFTED_MS);
      const isShifted = (at: number): boolean => Math.abs(at - Date.now() - shiftMs) < 60_000;
      await eventually(() => shows(stage, isShifted, shiftMs > 0), SEEN_MS);
      stage.note(`${shiftMs > 0 ? 'ahead' : 'back'}: ${tally(stage, since)}`);
      set(0);
      await stage.load.first200(performance.now(), BACK_MS);
    }
    stage.healed();
  },
});

/** Kafka's default: a record has its producer's time, and a time more than an hour ahead is rejected. */
const CREATE_TIME = { 'log.message.timestamp.type': 'CreateTime' };

const clockOfCart = clockRow(
  'cart',
  { broker: 'kafka', options: { properties: CREATE_TIME } },
  async ({ broker, topic, load, cart }, isShifted, isAhead) => {
    if (isAhead) {
      // Kafka rejects every record (`message.timestamp.after.max.ms`), so no command is done.
      const last = load.exchanges.filter(({ request }) => request.kind !== 'read').at(-1)?.answer;
      assert.match(last?.outcome ?? '', /^not_/);
      assert.ok(cart.output.some((line) => isShifted(timeOf(line))));
      return;
    }
    const { entries } = await readLog(broker, topic);
    assert.ok(entries.some(({ event }) => isShifted(Date.parse(event?.order?.orderDate ?? ''))));
  },
);

const clockOfOrder = clockRow('order', { broker: 'kafka' }, async ({ kafka, topic, order }, isShifted) => {
  const raw = openRawTopic(kafka[0]?.bootstrapServers ?? '', topic);
  try {
    await raw.write([{ partition: 0, key: null, value: Buffer.from('a dead letter, which is logged') }]);
  } finally {
    await raw.close();
  }
  await eventually(() => assert.ok(order.output.some((line) => isShifted(timeOf(line)))), 2_000);
});

export const clockRows: readonly Fault[] = [clockOfCart, clockOfOrder];

/** The time of a log line in ms since 1970; NaN if it has none. */
const timeOf = (line: string): number => Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? '');

/** Counts the writes by their answers, such as `200: 17, 503 not_created: 2`. */
const tally = ({ load }: Stage, since: number): string => {
  const writes = load.exchanges.filter(({ request, askedAt }) => request.kind !== 'read' && askedAt >= since);
  const answers = writes.map(({ answer }) => (answer ? `${answer.status} ${answer.outcome ?? ''}`.trimEnd() : 'none'));
  return Array.from(
    Map.groupBy(answers, (answer) => answer),
    ([answer, all]) => `${answer}: ${all.length}`,
  ).join(', ');
};
