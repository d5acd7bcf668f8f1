import { killNode, startNode, stopNode } from './nodes.ts';
import type { Fault } from './plan.ts';
import type { Services } from './services.ts';
import type { Trouble } from './trouble.ts';
import { SESSION_MS, TOPIC, type World } from './world.ts';

/** A fault that comes while the services run. */
type LiveFault = Exclude<Fault, { kind: 'late_start' }>;

/** The services of a restored store are killed before it, and started again after this time at the earliest. */
const RESTORED_MS = 500;
const MS_PER_HOUR = 3_600_000;

/** Ends a fault; null if the fault ends by itself. */
type End = (() => void) | null;
type FaultOf<K> = Extract<Fault, { kind: K }>;

/** Begins a fault. @returns what ends it */
export const inject = (world: World, services: Services, fault: LiveFault): End => {
  const begin = BEGINNINGS[fault.kind] as (world: World, fault: LiveFault, services: Services) => End;
  return begin(world, fault, services);
};

const makeTrouble = ({ troubles, plan }: World, fault: Trouble): End => {
  const own = { ...fault, node: fault.node % plan.nodes };
  troubles.add(own);
  return () => troubles.delete(own);
};

const breakNode = (world: World, fault: FaultOf<'node'>): End => {
  const { cluster, coverage, dice } = world;
  const node = cluster.nodes[fault.node % world.plan.nodes];
  if (node === undefined) return null;
  coverage[fault.state === 'down' ? 'leaders down' : 'leaders stopped'] += 1;
  if (fault.state === 'down') killNode(node);
  else stopNode(node);
  // The other brokers need some time to notice.
  if (fault.moves) world.after(dice.between('new leaders', 100, 2_000), () => moveAway(world, node.id));
  return () => startNode(node);
};

const moveAway = ({ cluster }: World, id: number): void => {
  const heir = cluster.nodes.find((node) => node.state === 'up' && node.id !== id);
  const leaders = cluster.describe(TOPIC)?.leaders;
  if (heir === undefined || cluster.nodes[id]?.state === 'up') return;
  leaders?.forEach((leader, partition) => {
    if (leader === id) cluster.lead(TOPIC, partition, heir.id);
  });
};

const crash = (world: World, fault: FaultOf<'crash'>, services: Services): End => {
  const service = services.named(fault.service);
  const die = (): void => {
    if (service === null || service.life === null) return;
    world.coverage[fault.service === 'cart' ? 'cart crashes' : 'order crashes'] += 1;
    service.kill();
    world.after(fault.ms, service.start);
  };
  if (fault.point === null) {
    die();
    return null;
  }
  const armed = { ...fault.point, service: fault.service, left: fault.nth, crash: die };
  world.armed.add(armed);
  return () => world.armed.delete(armed);
};

const terminate = (world: World, fault: FaultOf<'terminate'>, services: Services): End => {
  const service = services.named(fault.service);
  if (service === null || service.life === null) return null;
  world.coverage.terminations += 1;
  service.terminate();
  return service.start;
};

const pause = (world: World, fault: FaultOf<'pause'>, services: Services): End => {
  const life = services.named(fault.service)?.life;
  if (!life || life.state !== 'running') return null;
  life.state = 'stopped';
  const since = world.time.now;
  return () => {
    if (life.state !== 'stopped') return;
    if (world.time.now - since > SESSION_MS) world.coverage['members paused past their session'] += 1;
    world.time.resume(life);
  };
};

const fillDisk = ({ cartDisk, viewDisk }: World, fault: FaultOf<'disk'>): End => {
  const disk = fault.store === 'cart' ? cartDisk : viewDisk;
  disk.trouble = fault.trouble;
  return () => (disk.trouble = 'none');
};

const restore = (world: World, fault: FaultOf<'restore'>, services: Services): End => {
  world.coverage['stores restored or deleted'] += 1;
  const users = fault.store === 'cart' ? [services.cart] : services.order;
  for (const user of users) user.kill();
  if (fault.store === 'cart') restoreCart(world, fault.percent);
  else restoreView(world, fault.percent);
  world.after(Math.max(RESTORED_MS, fault.ms), () => users.forEach((user) => user.start()));
  return null;
};

const restoreView = ({ viewDisk }: World, percent: number): void => {
  const copy = viewDisk.history[agedIndex(viewDisk.history, percent)];
  if (copy) viewDisk.restore(copy);
};

const restoreCart = (world: World, percent: number): void => {
  const { cartDisk, cluster } = world;
  world.cartStoreLost.push(world.time.now);
  // Without this, a message could land later that no store knows of any more.
  cluster.calm();
  const mayLand = new Set([...cartDisk.state.outbox.values()].map(({ eventId }) => eventId));
  const landed = new Set(
    cluster.log(TOPIC).flatMap((records) => records.map(({ headers }) => String(headers[1]?.[1]))),
  );
  for (let n = agedIndex(cartDisk.history, percent); n >= 0; n--) {
    const copy = cartDisk.history[n];
    // Not a copy with an event that was taken back later: the copy cannot know that, and would publish the event.
    if (copy?.outbox.values().every(({ eventId }) => mayLand.has(eventId) || landed.has(eventId))) {
      cartDisk.restore(copy);
      return;
    }
  }
};

const agedIndex = (history: readonly unknown[], percent: number): number =>
  Math.floor(((history.length - 1) * percent) / 100);

const jump = (world: World, { hours }: FaultOf<'clock'>): End => {
  world.coverage['clock jumps'] += 1;
  world.clockOffsetMs += hours * MS_PER_HOUR;
  return () => (world.clockOffsetMs -= hours * MS_PER_HOUR);
};

const redeliver = (world: World): End => {
  world.redelivers = true;
  return () => (world.redelivers = false);
};

const BEGINNINGS: { readonly [K in LiveFault['kind']]: (world: World, fault: FaultOf<K>, services: Services) => End } =
  {
    publish: makeTrouble,
    slow: makeTrouble,
    node: breakNode,
    crash,
    terminate,
    pause,
    disk: fillDisk,
    restore,
    clock: jump,
    redelivery: redeliver,
  };
