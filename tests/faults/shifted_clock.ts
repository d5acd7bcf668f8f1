import { readFileSync } from 'node:fs';

/**
 * Shifts a process's wall clock: `--import` this, with the milliseconds to add in the file that `SHIFTED_CLOCK_FILE`
 * names; it is read again and again. The monotonic clock, and with it every timer, goes on as it is, as it does when
 * an operator or NTP sets a machine's clock.
 */
const LOOK_MS = 50;

const file = process.env['SHIFTED_CLOCK_FILE'] ?? '';
const RealDate = Date;
const realNow = Date.now;
let shift = 0;

const look = (): void => {
  const text = readFileSync(file, 'utf8').trim();
  // Empty for a moment while it is written.
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
