import assert from 'node:assert/strict';
import { withinMs } from '#service_common/within.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { eventually } from '#tests/support/eventually.ts';
import { type CrashPoint, crashAt, lastWords, READ_PATH, WRITE_PATH } from '#tests/faults/crash_points.ts';
import type { Fault, Ground, Service, Stage } from '#tests/faults/fault.ts';
import { refuseEvents } from '#tests/faults/refuse_events.ts';

/** For a process that is under load to come to its crash point; far more than a slow machine needs. */
const REACHED_MS = 60_000;
/** For what an ended process has written to be here. */
const OUTPUT_MS = 5_000;

/** What a crash takes, to be taken away before the service is started again. */
type Setting = (stage: Stage) => Promise<() => Promise<void>>;

interface Crash {
  readonly point: CrashPoint;
  /** Where to die before, so that the start that this point is about finds something left over. */
  readonly first?: CrashPoint;
  /** What has to go wrong, besides load. */
  readonly setting?: Setting;
}

/** Starts the service to be killed at the point, and waits until it has been. @throws where that does not happen */
const die = async (stage: Stage, service: Service, { point, setting }: Crash): Promise<void> => {
  const pass = 1 + Math.floor(stage.random() * point.passes);
  const from = performance.now();
  // It may die before it is ready.
  const started = service.start(crashAt(point, pass)).catch(() => {});
  const { pid } = service;
  const ended = service.ended();
  let undo: (() => Promise<void>) | undefined;
  try {
    if (setting !== undefined) {
      await started;
      await stage.load.first200(from, REACHED_MS);
      undo = await setting(stage);
    }
    const end = await withinMs(REACHED_MS, ended);
    const isAsMeant = (): void => assert.ok(service.output.includes(lastWords(point, pid)), `ended with ${end}`);
    await eventually(isAsMeant, OUTPUT_MS);
  } catch (error) {
    throw new Error(`${service.name} was not killed at pass ${pass} of ${point.name}: ${reasonOf(error)}`, {
      cause: error,
    });
  } finally {
    await undo?.();
  }
};

/** Each round one crash, in turn. The service is ended as a user would, started to die, and started as ever. */
const crashing = (service: 'cart' | 'order', path: string, crashes: readonly Crash[], on: Ground): Fault => {
  const roundsOf = new Map<string, number>();
  return {
    name: `${service}-crash-points${on.broker === 'embedded' ? '-embedded' : ''}`,
    title: `${service} kill -9 at each of ${crashes.length} points of the ${path} path, ${on.broker} broker`,
    rounds: { full: on.broker === 'kafka' ? 200 : 60, short: crashes.length },
    on,
    async run(stage, round) {
      const crash = crashes[round % crashes.length];
      if (crash === undefined) throw new Error(`there are no points in the ${path} path`);
      await stage[service].stop();
      if (crash.first !== undefined) await die(stage, stage[service], { point: crash.first });
      await die(stage, stage[service], crash);
      await stage[service].start();
      stage.healed();
      roundsOf.set(crash.point.name, (roundsOf.get(crash.point.name) ?? 0) + 1);
    },
    // oxlint-disable-next-line require-await -- other rows look into files here
    async finish(stage) {
      stage.note(Array.from(roundsOf, ([name, rounds]) => `${name} ${rounds}`).join(', '));
    },
  };
};

const WRITE_CRASHES: readonly Crash[] = [
  { point: WRITE_PATH.batchTaken },
  { point: WRITE_PATH.storeBeforeCommit },
  { point: WRITE_PATH.stored },
  { point: WRITE_PATH.sent },
  { point: WRITE_PATH.acknowledged },
  { point: WRITE_PATH.halfAnswered },
  { point: WRITE_PATH.refused, setting: refuseEvents },
  { point: WRITE_PATH.takenBack, setting: refuseEvents },
  { point: WRITE_PATH.relayed, first: WRITE_PATH.stored },
  { point: WRITE_PATH.catchingUp, first: WRITE_PATH.acknowledged },
];

const READ_CRASHES: readonly Crash[] = Object.values(READ_PATH).map((point) => ({ point }));

export const crashPointRows: readonly Fault[] = [
  crashing('cart', 'write', WRITE_CRASHES, { broker: 'kafka' }),
  crashing('order', 'read', READ_CRASHES, { broker: 'kafka' }),
  crashing('cart', 'write', WRITE_CRASHES, { broker: 'embedded' }),
  crashing('order', 'read', READ_CRASHES, { broker: 'embedded' }),
];
