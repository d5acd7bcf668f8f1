import type { Services } from './services.ts';
import { TOPIC, type World } from './world.ts';

const LOOK_EVERY_MS = 200;

/** Watches whether the Cart Service says that it is ready although the leader of a partition is down. */
export const watchReadiness = (world: World, services: Services, untilMs: number): void => {
  /** By leader: since when it has been down under this process of the Cart Service. */
  const down = new Map<number, { readonly since: number; readonly life: unknown }>();

  const look = (): void => {
    const { listening } = services.cart;
    const leaders = new Set(world.cluster.describe(TOPIC)?.leaders);
    for (const { id, state } of world.cluster.nodes) {
      const isOpen = listening?.program.status().state === 'open';
      if (state !== 'down' || !isOpen || !leaders.has(id)) {
        down.delete(id);
        continue;
      }
      const before = down.get(id);
      const since = before?.life === listening?.life ? (before?.since ?? world.time.now) : world.time.now;
      down.set(id, { since, life: listening?.life });
      world.readyWithout.push({ leader: id, downMs: world.time.now - since });
    }
    if (world.time.now < untilMs) world.after(LOOK_EVERY_MS, look);
  };

  world.after(LOOK_EVERY_MS, look);
};
