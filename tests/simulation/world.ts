import { type Cluster, createCluster } from './cluster.ts';
import { type Coverage, noCoverage } from './coverage.ts';
import type { CrashPoint, Plan, ServiceName } from './plan.ts';
import { createDice, type Dice } from './random.ts';
import { type CartDisk, createCartDisk } from './simulated_cart_store.ts';
import { createViewDisk, type ViewDisk } from './simulated_consumer_db.ts';
import type { Life, VirtualTime } from './virtual_time.ts';
import type { Treatment, Weather } from './weather.ts';

export const TOPIC = 'orders.events';

/** When the simulation begins on the wall clock, ms since 1970. */
const BEGINNING = Date.UTC(2026, 0, 18, 12);
export const SESSION_MS = 3_000;

/** A crash that waits for its call. */
interface ArmedCrash extends CrashPoint {
  readonly service: ServiceName;
  /** Calls that go well before. */
  left: number;
  readonly crash: () => void;
}

/** What brokers do to publishes as long as it is among the world's troubles; `node`: which one does so. */
export type Trouble =
  | { readonly kind: 'publish'; readonly node: number; readonly treatment: Treatment['kind']; readonly percent: number }
  | { readonly kind: 'slow'; readonly node: number };

/** All there is beside the processes, and what outlives them. */
export interface World {
  readonly plan: Plan;
  readonly time: VirtualTime;
  readonly dice: Dice;
  readonly coverage: Coverage;
  readonly cluster: Cluster;
  readonly cartDisk: CartDisk;
  readonly viewDisk: ViewDisk;
  readonly troubles: Set<Trouble>;
  readonly armed: Set<ArmedCrash>;
  /** Positions committed to the group, with the furthest that the view had durably come. */
  readonly commits: { partition: number; next: number; viewNext: number }[];
  /** When the cart's store was put back or deleted. */
  readonly cartStoreLost: number[];
  /** What went wrong inside a service that must not. */
  readonly failures: string[];
  redelivers: boolean;
  /** Of the wall clock. */
  clockOffsetMs: number;
  /** The wall clock, ms since 1970. */
  wall(): number;
  /** Calls `action` in the name of the world. @param ms from now */
  after(ms: number, action: () => void): void;
  pause(ms: number): Promise<void>;
  /** A process comes to a call of a seam. True: it has died there. */
  comesTo(service: ServiceName, life: Life, call: string, moment: CrashPoint['moment']): boolean;
}

export const createWorld = (plan: Plan, time: VirtualTime): World => {
  const dice = createDice(plan.seed);
  const coverage = noCoverage();
  const viewDisk = createViewDisk();
  const troubles = new Set<Trouble>();
  /** How far the view has ever durably come, and how much of its history that is taken from. */
  const reached = new Map<number, number>();
  let scanned = 0;

  const weather: Weather = {
    treat: (node) => {
      for (const trouble of troubles) {
        if (trouble.kind !== 'publish' || trouble.node !== node) continue;
        if (dice.happens(`publish trouble ${node}`, trouble.percent / 100)) return treatment(trouble.treatment, node);
      }
      return { kind: 'written' };
    },
    isSilent: (node) => dice.happens(`silence ${node}`, 0.4),
    delayMs: (node) =>
      [...troubles].some((trouble) => trouble.kind === 'slow' && trouble.node === node)
        ? dice.between(`delay ${node}`, 100, 6_500)
        : 0,
    batchRecords: () => dice.between('fetch', 1, 8),
    redelivers: () => {
      const again = world.redelivers && dice.happens('redelivery', 0.5);
      if (again) coverage['batches delivered twice'] += 1;
      return again;
    },
  };

  const treatment = (kind: Treatment['kind'], node: number): Treatment => {
    const ms = (): number => dice.between(`late ${node}`, 5, 5_000);
    if (kind === 'late' || kind === 'twice') {
      if (kind === 'late') coverage['written late'] += 1;
      return { kind, ms: ms() };
    }
    if (kind === 'partly') {
      const rest = dice.happens(`rest ${node}`, 0.5) ? 'lost' : 'refused';
      return { kind, written: dice.between(`written ${node}`, 0, 2), rest };
    }
    return { kind };
  };

  const cluster = createCluster({
    nodes: plan.nodes,
    weather,
    clock: () => world.wall(),
    newTopicId: () => `topic-${dice.between('topic', 1, 1e9)}`,
    sessionMs: SESSION_MS,
    onCommit: (partition, next) => {
      for (; scanned < viewDisk.history.length; scanned++) {
        for (const [of, position] of viewDisk.history[scanned]?.positions.get(TOPIC) ?? []) {
          reached.set(of, Math.max(position.next, reached.get(of) ?? 0));
        }
      }
      world.commits.push({ partition, next, viewNext: reached.get(partition) ?? 0 });
    },
  });

  const world: World = {
    plan,
    time,
    dice,
    coverage,
    cluster,
    cartDisk: createCartDisk(),
    viewDisk,
    troubles,
    armed: new Set(),
    commits: [],
    cartStoreLost: [],
    failures: [],
    redelivers: false,
    clockOffsetMs: 0,
    wall: () => BEGINNING + Math.floor(time.now) + world.clockOffsetMs,
    after: (ms, action) => void time.at(time.now + ms, null, action),
    pause: (ms) => new Promise((resolve) => world.after(ms, resolve)),
    comesTo: (service, life, call, moment) => {
      if (life.state === 'dead') return true;
      for (const armed of world.armed) {
        if (armed.service !== service || armed.call !== call || armed.moment !== moment) continue;
        armed.left -= 1;
        if (armed.left >= 0) continue;
        world.armed.delete(armed);
        if (moment === 'during') world.after(dice.between(`during ${service}`, 0, 3), armed.crash);
        else armed.crash();
      }
      return life.state !== 'running';
    },
  };
  return world;
};
