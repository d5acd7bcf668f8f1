import assert from 'node:assert/strict';
import { withinMs } from '#service_common/within.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { eventually } from '#tests/support/eventually.ts';
import { type CrashPoint, crashAt, lastWords, READ_PATH, WRITE_PATH } from '#tests/faults/crash_points.ts';
import type { Fault, Ground, Service, Stage } from '#tests/faults/fault.ts';
import { refuseEvents } from '#tests/faults/refuse_events.ts';

/** The longest wait until a process under load reaches its crash point; a slow machine needs far less. */
const REACHED_MS = 60_000;
/** The longest wait for the last output of an ended process. */
const OUTPUT_MS = 5_000;

/** Sets up what a crash needs. @returns a function that undoes it before the service starts again */
type Setting = (stage: Stage) => Promise<() => Promise<void>>;

interface Crash {
  readonly point: CrashPoint;
  /** A crash before this one, so that the start after it finds something left over. */
  readonly first?: CrashPoint;
  /** What the crash needs besides load. */
  readonly setting?: Setting;
}

/** Starts the service with the crash point, and waits until it has died there. @throws Error if that does not happen */
const die = async (stage: Stage, service: Service, { point, setting }: Crash): Promise<void> => {
  const pass = 1 + Math.floor(stage.random() * point.passes);
  const from = performance.now();
  // The service may die before it is ready.
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

/**
 * Each round plays the next crash: it stops the service, starts it with the crash point, and then starts it normally.
 */
const crashing = (service: 'cart' | 'order', path: string, crashes: readonly Crash[], on: Ground): Fault => {
  const roundsOf = new Map<string, number>();
  return {
    name: `${service}-crash-points${on.broker === 'embedded' ? '-embedded' : ''}`,
    title: `${service} kill -9 at each of ${crashes.length} points of the ${path} path, ${on.broker} broker`,
    rounds: { full: on.broker === 'kafka' ? 200 : 60, short: crashes.length },
    on,
    async run(stage, round) {
      const crash = crashes[round % crashes.length];
      if (crash === undefined) throw new Error(`the ${path} path has no crash points`);
      await stage[service].stop();
      if (crash.first !== undefined) await die(stage, stage[service], { point: crash.first });
      await die(stage, stage[service], crash);
      await stage[service].start();
      stage.healed();
      roundsOf.set(crash.point.name, (roundsOf.get(crash.point.name) ?? 0) + 1);
    },
    // oxlint-disable-next-line require-await -- the interface is asynchronous
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
