import { writeSync } from 'node:fs';
import { patchSources } from '#tests/patched/patch_source.ts';
import { CRASH_POINTS, lastWords } from './crash_points.ts';

/**
 * Loaded into the process of a service before its own code (`--import`): patches the crash point `CRASH_POINT` into
 * the source, at whose pass number `CRASH_AT_PASS` the process kills itself.
 */
const point = CRASH_POINTS.find(({ name }) => name === process.env['CRASH_POINT']);
if (point === undefined) throw new Error(`CRASH_POINT names no crash point: ${process.env['CRASH_POINT']}`);
patchSources(point.patches);

let passesLeft = Number(process.env['CRASH_AT_PASS']);
let dying = false;

const die = (): void => {
  writeSync(process.stderr.fd, `${lastWords(point, process.pid)}\n`);
  process.kill(process.pid, 'SIGKILL');
  // Where the signal takes its time, nothing may run after it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

/** Many times more than an answer takes from its promise to the socket. */
const TICKS = 1_000;

/** Dies once all that has been decided is on the wire, and before any timer, disk or socket has its turn. */
const dieAfterTicks = (ticks: number): void => {
  if (ticks === 0) die();
  process.nextTick(dieAfterTicks, ticks - 1);
};

const crashPoint = {
  pass(): void {
    passesLeft -= 1;
    if (passesLeft === 0) die();
  },

  /** Whether the answer of an event is held back, as one of the second half of the last batch: the first goes out. */
  withholds(index: number, events: number): boolean {
    if (index === 0 && events > 1) {
      passesLeft -= 1;
      dying = passesLeft === 0;
      if (dying) dieAfterTicks(TICKS);
    }
    return dying && index >= events / 2;
  },
};

// What the patched source calls.
Object.assign(globalThis, { crashPoint });
