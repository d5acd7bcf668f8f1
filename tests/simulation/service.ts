import type { Logger } from 'pino';
import type { Broker } from '#kafka_common/broker.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { StoreLine } from './disk.ts';
import type { Wire } from './nodes.ts';
import type { ServiceName } from './plan.ts';
import { connectTo } from './simulated_broker.ts';
import type { Life } from './virtual_time.ts';
import type { World } from './world.ts';

/** What the process of a service gets from the world. */
interface Surroundings {
  readonly life: Life;
  readonly broker: Broker;
  readonly line: StoreLine;
  readonly logger: Logger;
}

/** How the processes of a service start and stop. */
export interface ServiceKind<P> {
  readonly name: ServiceName;
  /** Runs as code of the process. @throws if the service cannot start; then the process ends */
  open(surroundings: Surroundings): Promise<P>;
  close(program: P): Promise<void>;
  /** The process has ended. */
  onGone(): void;
}

export interface Service<P> {
  readonly name: ServiceName;
  /** The process that takes requests; null if there is none. */
  readonly listening: { readonly life: Life; readonly program: P } | null;
  readonly life: Life | null;
  start(): void;
  kill(): void;
  /** SIGTERM. */
  terminate(): void;
}

const RESTART_MS = 300;
/** After this time an orchestrator kills a service that is stopping. */
const STOPPING_MS = 5_000;
const HEARTBEAT_MS = 1_000;

/** A service, with one process at a time. */
export const createService = <P>(world: World, kind: ServiceKind<P>): Service<P> => {
  const { time } = world;
  let life: Life | null = null;
  let program: P | null = null;
  let isStopping = false;
  let isWantedAgain = false;

  const end = (ended: Life): void => {
    ended.state = 'dead';
    if (life !== ended) return;
    life = null;
    program = null;
    isStopping = false;
    kind.onGone();
    if (isWantedAgain) start();
  };

  const start = (): void => {
    isWantedAgain = isStopping;
    if (life !== null) return;
    const own: Life = { name: kind.name, state: 'running' };
    life = own;
    time.at(time.now, own, () => {
      kind.open(surroundingsOf(world, kind.name, own)).then(
        (opened) => (program = life === own ? opened : program),
        (error: unknown) => {
          world.failures.push(`${kind.name} did not start: ${String(error)}`);
          end(own);
          world.after(RESTART_MS, start);
        },
      );
    });
  };

  return {
    name: kind.name,
    get life() {
      return life;
    },
    get listening() {
      return life?.state === 'running' && program !== null && !isStopping ? { life, program } : null;
    },
    start,
    kill: () => {
      if (life) end(life);
    },
    terminate: () => {
      const [own, stopping] = [life, program];
      if (own === null) return;
      if (stopping === null) {
        end(own);
        return;
      }
      isStopping = true;
      time.at(time.now, own, () => {
        kind.close(stopping).then(
          () => end(own),
          (error: unknown) => {
            // If the store fails while the service stops, the next start does the rest.
            if (!(error instanceof StoreError))
              world.failures.push(`${kind.name} did not stop in order: ${String(error)}`);
            end(own);
          },
        );
      });
      world.after(STOPPING_MS, () => end(own));
    },
  };
};

const surroundingsOf = (world: World, name: ServiceName, life: Life): Surroundings => ({
  life,
  broker: withCrashPoints(world, name, life, connectTo(world.cluster, wireOf(world, name, life), HEARTBEAT_MS)),
  line: lineOf(world, name, life),
  logger: loggerOf(world, name, life),
});

const wireOf = (world: World, name: ServiceName, life: Life): Wire => {
  const { time, dice } = world;
  const ms = (): number => {
    const roll = dice.roll(`wire of ${name}`);
    return roll < 0.97 ? 0.2 + roll * 2 : (roll - 0.97) * 2_500;
  };
  return {
    toBroker: (arrive) => {
      if (life.state !== 'dead') time.at(time.now + ms(), null, arrive);
    },
    toClient: (arrive) => void time.at(time.now + ms(), life, arrive),
  };
};

const lineOf = (world: World, name: ServiceName, life: Life): StoreLine => {
  const { time, dice } = world;
  const ms = (): number => {
    const roll = dice.roll(`store of ${name}`);
    return roll < 0.98 ? 0.05 + roll : (roll - 0.98) * 20_000;
  };
  return {
    call: (call, effect) =>
      new Promise((resolve, reject) => {
        if (world.comesTo(name, life, call, 'before')) return;
        world.comesTo(name, life, call, 'during');
        time.at(time.now + ms(), life, () => {
          const settle = outcomeOf(world, effect, resolve, reject);
          if (!world.comesTo(name, life, call, 'after')) time.at(time.now + ms() / 4, life, settle);
        });
      }),
  };
};

const outcomeOf = <T>(
  { coverage }: World,
  effect: () => T,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): (() => void) => {
  try {
    const value = effect();
    return () => resolve(value);
  } catch (error) {
    if (error instanceof StoreError) {
      if (error.code === 'STORE_OVERTAKEN') coverage['commits of a zombie refused'] += 1;
      else coverage[error.code === 'STORE_IN_DOUBT' ? 'commits in doubt' : 'commits refused by a full disk'] += 1;
    }
    return () => reject(error);
  }
};

/** Adds the crash points. A call at which the process dies never settles. */
const withCrashPoints = (world: World, name: ServiceName, life: Life, broker: Broker): Broker => {
  const at = <T>(call: string, work: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      if (world.comesTo(name, life, call, 'before')) return;
      world.comesTo(name, life, call, 'during');
      const unlessDead = (settle: () => void): void => {
        if (!world.comesTo(name, life, call, 'after')) settle();
      };
      work().then(
        (value) => unlessDead(() => resolve(value)),
        (error: unknown) => unlessDead(() => reject(error)),
      );
    });

  return {
    ...broker,
    ensureTopic: (...args) => at('broker: ensure topic', () => broker.ensureTopic(...args)),
    probe: (...args) => at('broker: probe', () => broker.probe(...args)),
    committed: (...args) => at('broker: committed', () => broker.committed(...args)),
    publish: (...args) =>
      at('broker: publish', async () => {
        const fates = await broker.publish(...args);
        for (const fate of fates) {
          const { kind } = fate;
          if (kind === 'not_written' && fate.fault === 'message')
            world.coverage['messages refused for their size'] += 1;
          if (kind === 'unknown') world.coverage['fates unknown'] += 1;
          if (kind === 'not_written') world.coverage['fates not written'] += 1;
        }
        return fates;
      }),
  };
};

/** Log lines of a service about an error that it does not expect. */
const FAULTS = ['a batch failed by a fault of this service', 'consuming failed, trying again'];

const ignore = (): void => {};

const loggerOf = (world: World, name: ServiceName, life: Life): Logger => {
  const error = (fields: { err?: unknown }, message?: string): void => {
    if (life.state === 'dead' || message === undefined || !FAULTS.includes(message)) return;
    const { err } = fields;
    world.failures.push(`${name}: ${message}: ${err instanceof Error ? (err.stack ?? err.message) : String(err)}`);
  };
  return { info: ignore, warn: ignore, debug: ignore, error } as unknown as Logger;
};
