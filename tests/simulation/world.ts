import { type Cluster, createCluster } from './cluster.ts';
import { type Coverage, noCoverage } from './coverage.ts';
import type { CrashPoint, Plan, ServiceName } from './plan.ts';
import { createDice, type Dice } from './random.ts';
import { type CartDisk, createCartDisk } from './simulated_cart_store.ts';
import { createViewDisk, type ViewDisk } from './simulated_consumer_db.ts';
import { createTroubledWeather, type Trouble } from './trouble.ts';
import type { Life, VirtualTime } from './virtual_time.ts';

export const TOPIC = 'orders.events';

/** The start of the simulation on the wall clock, in ms since 1970. */
const BEGINNING = Date.UTC(2026, 0, 18, 12);
export const SESSION_MS = 3_000;

/** A crash that waits for a call. */
interface ArmedCrash extends CrashPoint {
  readonly service: ServiceName;
  /** Calls that succeed before the crash. */
  left: number;
  readonly crash: () => void;
}

/** Everything outside of the processes, and what outlives them. */
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
  /** Positions committed to the group, each with the furthest durable position of the view at that moment. */
  readonly commits: { partition: number; next: number; viewNext: number }[];
  /** When the Cart Service was ready although a leader was down. */
  readonly readyWithout: { leader: number; downMs: number }[];
  /** When the topic was deleted. Its events are gone then. */
  readonly topicMadeAgain: number[];
  /** The orders of the topics that were deleted. */
  readonly formerOrders: Set<string>;
  /** When the planning of a request failed by a fault of the service. */
  readonly planningFaults: number[];
  /** What redrives of all held letters published, as the checker takes it. */
  readonly redrives: { readonly until: number; readonly published: number[] }[];
  /** When the cart's store was restored or deleted. */
  readonly cartStoreLost: number[];
  /** Errors inside a service that must never happen. */
  readonly failures: string[];
  redelivers: boolean;
  /** How far the wall clock is ahead of virtual time. */
  clockOffsetMs: number;
  /** The wall clock, ms since 1970. */
  wall(): number;
  /** Runs `action` as an event of the world. @param ms from now */
  after(ms: number, action: () => void): void;
  pause(ms: number): Promise<void>;
  /** A process reaches a call of a seam. @returns true if the process has died there or does not run */
  comesTo(service: ServiceName, life: Life, call: string, moment: CrashPoint['moment']): boolean;
}

export const createWorld = (plan: Plan, time: VirtualTime): World => {
  const dice = createDice(plan.seed);
  const coverage = noCoverage();
  const viewDisk = createViewDisk();
  const troubles = new Set<Trouble>();
  /** The furthest durable position of the view by partition, and how much of its history is included. */
  const reached = new Map<number, number>();
  let scanned = 0;

  const cluster = createCluster({
    nodes: plan.nodes,
    weather: createTroubledWeather({ troubles, dice, coverage, redelivers: () => world.redelivers }),
    clock: () => world.wall(),
    newTopicId: () => `topic-${dice.between('topic', 1, 1e9)}`,
    sessionMs: SESSION_MS,
    onCommit: (partition, next) => {
      for (; scanned < viewDisk.history.length; scanned++) {
        for (const [durable, position] of viewDisk.history[scanned]?.positions.get(TOPIC) ?? []) {
          reached.set(durable, Math.max(position.next, reached.get(durable) ?? 0));
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
    readyWithout: [],
    topicMadeAgain: [],
    formerOrders: new Set(),
    planningFaults: [],
    redrives: [],
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
