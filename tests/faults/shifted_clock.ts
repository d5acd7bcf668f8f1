import { readFileSync } from 'node:fs';

/**
 * Shifts the wall clock of a process that loads this by `--import`. The file in `SHIFTED_CLOCK_FILE` has the
 * milliseconds to add, and is read again and again. The monotonic clock and all timers do not change, as when an
 * operator or NTP sets the clock of a machine.
 */
const LOOK_MS = 50;

const file = process.env['SHIFTED_CLOCK_FILE'] ?? '';
const RealDate = Date;
const realNow = Date.now;
let shift = 0;

const look = (): void => {
  const text = readFileSync(file, 'utf8').trim();
  // The file is empty for a moment while it is written.
  if (text !== '') shift = Number(text);
};

const now = (): number => realNow() + shift;

globalThis.Date = new Proxy(RealDate, {
  apply: () => new RealDate(now()).toString(),
  construct: (target, given: [], asked) =>
    Reflect.construct(target, given.length === 0 ? [now()] : given, asked) as object,
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
});

if (file !== '') {
  look();
  setInterval(look, LOOK_MS).unref();
}
