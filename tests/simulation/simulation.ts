import { hash } from 'node:crypto';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { check } from '#tests/checker/check.ts';
import type { Evidence, Heal, Violation } from '#tests/checker/evidence.ts';
import { type Clients, createClients, isFresh } from './clients.ts';
import type { Coverage } from './coverage.ts';
import { inject } from './faults.ts';
import { contestedAcrossPartitions, contestedOrders, gather, isAgreed } from './gather.ts';
import { HEAL_AT_MS, type Plan } from './plan.ts';
import { watchReadiness } from './readiness.ts';
import { createServices, REQUEST_DEADLINE_MS, type Services } from './services.ts';
import { type VirtualTime, withVirtualTime } from './virtual_time.ts';
import { createWorld, TOPIC, type World } from './world.ts';

export interface Result {
  readonly violations: readonly Violation[];
  readonly coverage: Coverage;
  /** A hash of all evidence; the same plan always gives the same one. */
  readonly digest: string;
}

const LIMITS: Evidence['limits'] = {
  answerMs: REQUEST_DEADLINE_MS + 5,
  first200Ms: 5_000,
  agreeMs: 10_000,
  residentBytes: Infinity,
  clockMs: 0,
  noticeMs: 3_500,
};

/** After the heal: how long the run may last, how often it looks, and how many looks come between two new orders. */
const REST_MS = 60_000;
const LOOK_EVERY_MS = 100;
const FRESH_EVERY_LOOKS = 3;
/** How often orders are created after that. */
const CALM_ROUNDS = 2;
const MAX_STEPS = 300_000;

/** Plays a plan in virtual time and checks the evidence. The same plan always gives the same result. */
export const simulate = (plan: Plan): Promise<Result> =>
  withVirtualTime(async (time) => {
    const world = createWorld(plan, time);
    const onRejection = (error: unknown): void => fail(world, error);
    time.onError = onRejection;
    process.on('unhandledRejection', onRejection);
    try {
      const evidence = await time.runUntil(play(world, time), MAX_STEPS);
      world.coverage['virtual seconds'] += time.now / 1_000;
      world.coverage.events += time.steps;
      countLog(world, evidence);
      return {
        violations: check(evidence).filter((violation) => !isExcused(world, violation)),
        coverage: world.coverage,
        digest: hash('sha256', JSON.stringify(evidence), 'base64url'),
      };
    } finally {
      process.off('unhandledRejection', onRejection);
    }
  });

const fail = (world: World, error: unknown): void => {
  const { life } = world.time;
  if (life === null) throw error;
  world.failures.push(`${life.name}: ${error instanceof Error ? error.stack : String(error)}`);
};

const play = async (world: World, time: VirtualTime): Promise<Evidence> => {
  const clients: Clients = createClients(world, () => services);
  const services: Services = createServices(world, () => clients.cartGone());
  const lateStarts = new Map(
    world.plan.faults.flatMap((fault) => (fault.kind === 'late_start' ? [[fault.service, fault.ms] as const] : [])),
  );
  for (const service of [services.cart, ...services.order])
    world.after(lateStarts.get(service.name) ?? 0, service.start);
  for (const operation of world.plan.operations) world.after(operation.at, () => clients.begin(operation));
  const heal = scheduleFaults(world, services);
  watchReadiness(world, services, HEAL_AT_MS);

  await world.pause(HEAL_AT_MS);
  heal();
  const healed = await untilAtRest(world, clients, time.now);
  return {
    exchanges: clients.exchanges,
    ...gather(world),
    processes: [{ name: 'services', crashes: world.failures, peakResidentBytes: 0 }],
    heals: [healed.heal],
    ...(healed.calmFrom !== null && { calmFrom: healed.calmFrom }),
    limits: LIMITS,
  };
};

/** @returns a function that ends all faults */
const scheduleFaults = (world: World, services: Services): (() => void) => {
  const active = new Set<() => void>();
  let isHealed = false;

  const begin = (fault: Parameters<typeof inject>[2]): void => {
    const endFault = isHealed ? null : inject(world, services, fault);
    if (endFault === null) return;
    const end = (): void => {
      if (active.delete(end)) endFault();
    };
    active.add(end);
    // A crash point stays until a call reaches it, or until the heal.
    if (fault.kind !== 'crash') world.after(fault.ms, end);
  };

  for (const fault of world.plan.faults) {
    if (fault.kind !== 'late_start') world.after(fault.at, () => begin(fault));
  }
  return () => {
    isHealed = true;
    for (const end of active) end();
    services.cart.start();
    for (const service of services.order) service.start();
  };
};

/** The clients go on asking until cart and view agree and no late message is under way. */
const untilAtRest = async (
  world: World,
  clients: Clients,
  at: number,
): Promise<{ heal: Heal; calmFrom: number | null }> => {
  let agreedAt: number | null = null;
  /** When each partition had taken an event. */
  let calmFrom: number | null = null;
  let rounds = 0;

  clients.insist();
  for (let looks = 0; world.time.now < at + REST_MS; looks++) {
    const silent = silentPartitions(world, clients, at);
    if (silent.length === 0) calmFrom ??= world.time.now;
    if (looks % FRESH_EVERY_LOOKS === 0) {
      if (calmFrom === null) for (const partition of silent) clients.createFresh(partition);
      else if (rounds++ < CALM_ROUNDS) createInCalm(world, clients);
    }
    await world.pause(LOOK_EVERY_MS);
    const isQuiet = clients.open === 0 && calmFrom !== null && rounds >= CALM_ROUNDS;
    if (isQuiet && isAgreed(world)) agreedAt ??= world.time.now;
    if (agreedAt !== null && world.cluster.onTheirWay === 0 && isAgreed(world)) break;
  }
  // The first 200 of the slowest partition.
  return { heal: { at, first200At: calmFrom, agreedAt }, calmFrom };
};

const partitionsNow = ({ cluster }: World): number => cluster.describe(TOPIC)?.topic.partitions ?? 1;

/** The partitions in which no fresh order was created since `at`. */
const silentPartitions = (world: World, { exchanges }: Clients, at: number): number[] => {
  const partitions = partitionsNow(world);
  const silent = new Set(Array.from({ length: partitions }).keys());
  for (let n = exchanges.length - 1; n >= 0 && silent.size > 0; n--) {
    const exchange = exchanges[n];
    if (exchange === undefined || exchange.endedAt < at) break;
    const { request, answer } = exchange;
    // Other requests can be answered 200 without a new event.
    if (isFresh(request.orderId) && answer?.status === 200) silent.delete(partitionOf(request.orderId, partitions));
  }
  return [...silent];
};

/** Creates one order in each partition, and one that is too large if the topic has a limit. */
const createInCalm = (world: World, clients: Clients): void => {
  clients.createFresh(0, 'large');
  for (let partition = 0; partition < partitionsNow(world); partition++) clients.createFresh(partition);
};

const countLog = ({ coverage, viewDisk }: World, { log, aborted = [] }: Evidence): void => {
  coverage['records of aborted transactions'] += aborted.length;
  const ids = log.flatMap(({ event }) => event?.eventId ?? []);
  coverage['duplicates in the log'] += ids.length - new Set(ids).size;
  coverage['dead letters'] += viewDisk.state.deadLetters.length;
};

/**
 * Some promises do not hold for a repeated create after the Cart Service has died. A restarted service recognizes only
 * requests that it had not answered; right after an answer it cannot know whether the answer was sent, and repeats it.
 * After the loss of its store it recognizes no repeated request, because the log does not name the request of a create.
 */
const isExcused = (world: World, { invariant, name, orderId }: Violation): boolean => {
  const { coverage, cartStoreLost } = world;
  return (
    // The log that the other rules judge by is gone with the former topic.
    (orderId === null
      ? world.topicMadeAgain.length > 0 && !WITHOUT_LOG.includes(invariant)
      : world.formerOrders.has(orderId)) ||
    (CONTESTED.includes(name) && orderId !== null && contestedOrders(world).has(orderId)) ||
    (UNORDERED.includes(name) && orderId !== null && contestedAcrossPartitions(world).has(orderId)) ||
    (FORGOTTEN.includes(name) && (cartStoreLost.length > 0 || coverage['clock jumps'] > 0)) ||
    (name === 'a create repeated after unknown was answered 409' && cartStoreLost.length > 0) ||
    (name === 'two creates of one order were answered 200, though no answer was uncertain' &&
      coverage['cart crashes'] + cartStoreLost.length > 0)
  );
};

/** What is judged of the system as a whole if the topic was deleted. */
const WITHOUT_LOG: readonly Violation['invariant'][] = ['I4', 'I6', 'I7', 'I8'];

/** What two writers of one order may cause. */
const CONTESTED = ['an order was created by two events', 'two events have the same version'];

/** What they may cause if partitions were added between their events. */
const UNORDERED = ['the view of an order is not the fold of the log', 'the Cart Service and the log do not agree'];

/** What a service may do that has lost its memory of requests: the store that held it, or the day after which it forgets. */
const FORGOTTEN = [
  'a request that had taken effect was answered that nothing was done',
  'an update repeated after unknown was published twice',
  'an update repeated after unknown was answered 409',
];
