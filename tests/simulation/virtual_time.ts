import { syncBuiltinESMExports } from 'node:module';
import timersPromises from 'node:timers/promises';
import { createEventQueue, type QueuedEvent } from './event_queue.ts';

/** A process of the simulation. Its timers and pending calls belong to it, and end with it. */
export interface Life {
  readonly name: string;
  /** `stopped`: its events wait, as after SIGSTOP. `dead`: its events are dropped. */
  state: 'running' | 'stopped' | 'dead';
}

interface Event extends QueuedEvent {
  /** The process that it belongs to; null: the world, which never dies. */
  readonly life: Life | null;
  action: (() => void) | null;
}

/**
 * Virtual time passes only from one event to the next, so a run depends on nothing but its plan. A timer belongs to the
 * process whose code has set it.
 */
export interface VirtualTime {
  /** Virtual ms since the start. */
  readonly now: number;
  /** The process whose code runs; null: the world. */
  readonly life: Life | null;
  /** Called with an error that an event throws. */
  onError: (error: unknown) => void;
  /** Events that have happened so far. */
  readonly steps: number;
  /** Plans an event. @param life its process; null: the world @returns a function that cancels the event */
  at(ms: number, life: Life | null, action: () => void): () => void;
  /** Lets a stopped process go on, with the events that have waited for it. */
  resume(life: Life): void;
  /** Runs until the promise has settled. @throws its rejection; Error if no event is left, or after `maxSteps` */
  runUntil<T>(promise: Promise<T>, maxSteps: number): Promise<T>;
}

const realSetImmediate = globalThis.setImmediate;

/** Resolves after all microtasks, and after the events for unhandled rejections. */
const microtasksDone = (): Promise<void> => new Promise((resolve) => void realSetImmediate(resolve));

const createVirtualTime = (): VirtualTime => {
  const queue = createEventQueue<Event>();
  const held: Event[] = [];
  let now = 0;
  let numbers = 0;
  let steps = 0;
  let life: Life | null = null;

  const step = async (): Promise<void> => {
    const event = queue.pop();
    if (event === undefined) throw new Error('no event is left, but the run has not ended');
    const { action } = event;
    if (action === null || event.life?.state === 'dead') return;
    if (event.life?.state === 'stopped') {
      held.push(event);
      return;
    }
    now = Math.max(now, event.at);
    steps += 1;
    life = event.life;
    try {
      action();
    } catch (error) {
      own.onError(error);
    }
    await microtasksDone();
    life = null;
  };

  const own: VirtualTime = {
    get now() {
      return now;
    },
    get life() {
      return life;
    },
    get steps() {
      return steps;
    },
    onError: (error) => {
      throw error;
    },
    at(ms, owner, action) {
      const event: Event = { at: Math.max(now, ms), number: numbers++, life: owner, action };
      queue.push(event);
      return () => (event.action = null);
    },
    resume(stopped) {
      stopped.state = 'running';
      for (const event of held.splice(0)) {
        if (event.life === stopped) queue.push(event);
        else held.push(event);
      }
    },
    async runUntil(promise, maxSteps) {
      let settled = false;
      const settle = (): void => void (settled = true);
      promise.then(settle, settle);
      await microtasksDone();
      while (!settled) {
        if (steps > maxSteps) throw new Error(`the run has not ended after ${maxSteps} events`);
        await step();
      }
      return await promise;
    },
  };
  return own;
};

/** The time of the patched timers; null while time is real. */
let current: VirtualTime | null = null;

const time = (): VirtualTime => {
  if (current === null) throw new Error('a virtual timer was set outside a simulation');
  return current;
};

const abortError = (signal: AbortSignal): Error =>
  Object.assign(new Error('The operation was aborted', { cause: signal.reason }), {
    name: 'AbortError',
    code: 'ABORT_ERR',
  });

const sleep = <T>(ms = 1, value?: T, { signal }: { signal?: AbortSignal } = {}): Promise<T | undefined> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(abortError(signal));
      return;
    }
    const onAbort = (): void => {
      cancel();
      if (signal) reject(abortError(signal));
    };
    const { now, life, at } = time();
    const cancel = at(now + Math.max(1, ms), life, () => {
      signal?.removeEventListener('abort', onAbort);
      resolve(value);
    });
    signal?.addEventListener('abort', onAbort, { once: true });
  });

type Cancel = () => void;

const virtualTimers = {
  setTimeout(action: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) {
    const cancel = time().at(time().now + Math.max(1, ms), time().life, () => action(...args));
    const timer = { cancel, ref: () => timer, unref: () => timer };
    return timer;
  },
  clearTimeout: (timer?: { cancel: Cancel } | null) => timer?.cancel(),
  setImmediate(action: (...args: unknown[]) => void, ...args: unknown[]) {
    return { cancel: time().at(time().now, time().life, () => action(...args)) };
  },
  clearImmediate: (timer?: { cancel: Cancel } | null) => timer?.cancel(),
  setInterval(action: (...args: unknown[]) => void, ms = 1, ...args: unknown[]) {
    const { life } = time();
    const repeat = (): Cancel =>
      time().at(time().now + Math.max(1, ms), life, () => {
        cancel = repeat();
        action(...args);
      });
    let cancel = repeat();
    const timer = { cancel: () => cancel(), ref: () => timer, unref: () => timer };
    return timer;
  },
  clearInterval: (timer?: { cancel: Cancel } | null) => timer?.cancel(),
};

const virtualTimerPromises = {
  setTimeout: sleep,
  setImmediate: <T>(value?: T): Promise<T | undefined> =>
    new Promise((resolve) => void time().at(time().now, time().life, () => resolve(value))),
};

/** Replaces real time for all code of this thread, product modules included, while `work` runs. */
export const withVirtualTime = async <T>(work: (time: VirtualTime) => Promise<T>): Promise<T> => {
  if (current !== null) throw new Error('a thread can run only one simulation at a time');
  const real = Object.fromEntries(
    Object.keys(virtualTimers).map((name) => [name, Reflect.get(globalThis, name) as unknown]),
  );
  const realPromises = { setTimeout: timersPromises.setTimeout, setImmediate: timersPromises.setImmediate };
  const own = createVirtualTime();
  current = own;
  Object.assign(globalThis, virtualTimers);
  Object.assign(timersPromises, virtualTimerPromises);
  Object.defineProperty(performance, 'now', { value: () => own.now, configurable: true, writable: true });
  syncBuiltinESMExports();
  try {
    return await work(own);
  } finally {
    Object.assign(globalThis, real);
    Object.assign(timersPromises, realPromises);
    Reflect.deleteProperty(performance, 'now');
    syncBuiltinESMExports();
    current = null;
  }
};
