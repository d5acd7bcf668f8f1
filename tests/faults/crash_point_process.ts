import { writeSync } from 'node:fs';
import { patchSources } from '#tests/patched/patch_source.ts';
import { CRASH_POINTS, lastWords } from './crash_points.ts';

/**
 * `--import` loads this into the process of a service, before the service's code. It patches the crash point
 * `CRASH_POINT` into the source. At pass number `CRASH_AT_PASS` of it, the process kills itself.
 */
const point = CRASH_POINTS.find(({ name }) => name === process.env['CRASH_POINT']);
if (point === undefined) throw new Error(`CRASH_POINT names no crash point: ${process.env['CRASH_POINT']}`);
patchSources(point.patches);

let passesLeft = Number(process.env['CRASH_AT_PASS']);
let dying = false;

const die = (): void => {
  writeSync(process.stderr.fd, `${lastWords(point, process.pid)}\n`);
  process.kill(process.pid, 'SIGKILL');
  // If the signal is slow, no other code may run before it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
};

/** Many times more ticks than an answer needs from its promise to the socket. */
const TICKS = 1_000;

/** Dies after all decided answers were written, but before any timer, disk or socket event. */
const dieAfterTicks = (ticks: number): void => {
  if (ticks === 0) die();
  process.nextTick(dieAfterTicks, ticks - 1);
};

const crashPoint = {
  pass(): void {
    passesLeft -= 1;
    if (passesLeft === 0) die();
  },

  /**
   * True if the answer of an event is held back: in the last batch, the first half goes out and the second does not.
   */
  withholds(index: number, events: number): boolean {
    if (index === 0 && events > 1) {
      passesLeft -= 1;
      dying = passesLeft === 0;
      if (dying) dieAfterTicks(TICKS);
    }
    return dying && index >= events / 2;
  },
};

// The patched source calls this.
Object.assign(globalThis, { crashPoint });
