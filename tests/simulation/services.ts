import type { Publisher } from '#cart_service/publisher.ts';
import { createPublisher } from '#cart_service/publisher.ts';
import { type ConsumerRunner, createConsumerRunner } from '#order_service/consumer_runner.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import { createRedriver, type Redriver } from '#order_service/redrive/redrive.ts';
import { REDRIVE_PROOF } from '#tests/support/redrive_proof.ts';
import { createService, type Service } from './service.ts';
import type { ServiceName } from './plan.ts';
import { createSimulatedCartStore } from './simulated_cart_store.ts';
import { createSimulatedConsumerDb } from './simulated_consumer_db.ts';
import { TOPIC, type World } from './world.ts';

export const REQUEST_DEADLINE_MS = 5_000;
const GROUP = 'order-service';
/** As in the Cart Service's `main.ts`. */
const DRAIN_MS = 2_500;

interface OrderProgram {
  readonly runner: ConsumerRunner;
  readonly db: ConsumerDb;
  readonly redriver: Redriver;
}

export interface Services {
  readonly cart: Service<Publisher>;
  readonly order: readonly Service<OrderProgram>[];
  /** Null if the plan has no such service. */
  named(name: ServiceName): Service<unknown> | null;
}

/** The services, wired as in their `main.ts`. @param onCartGone called when a process of the cart has ended */
export const createServices = (world: World, onCartGone: () => void): Services => {
  const { dice, cartDisk, viewDisk, plan } = world;

  const newId = (): string => `${hex('id')}${hex('id')}-${hex('id')}`;
  /** As `newId`, but now and then it fails, as a fault of the service would. */
  const newEventId = (): string => {
    if (dice.happens('planning fails', 0.01)) {
      world.planningFaults.push(world.time.now);
      world.coverage['requests that could not be planned'] += 1;
      throw new Error('this request cannot be planned');
    }
    return newId();
  };
  const hex = (label: string): string =>
    Math.floor(dice.roll(label) * 2 ** 32)
      .toString(16)
      .padStart(8, '0');

  const cart = createService<Publisher>(world, {
    name: 'cart',
    onGone: onCartGone,
    async open({ broker, line, logger }) {
      cartDisk.recover(dice.happens('recovery of the cart store', 0.5));
      return await createPublisher({
        broker,
        store: createSimulatedCartStore(cartDisk, line),
        topic: TOPIC,
        partitions: plan.partitions,
        requestDeadlineMs: REQUEST_DEADLINE_MS,
        queueLimit: plan.queueLimit,
        logger,
        circumstances: () => ({ now: world.wall(), newId: newEventId, random: () => dice.roll('generated order') }),
        observers: [
          () => {
            if (dice.happens('an observer fails', 0.2)) throw new Error('this observer fails now and then');
          },
        ],
      });
    },
    close: (publisher) => publisher.close(DRAIN_MS),
  });

  const order = Array.from({ length: plan.orderServices }, (_, index) => {
    const name: ServiceName = index === 0 ? 'order-1' : 'order-2';
    return createService<OrderProgram>(world, {
      name,
      onGone: () => {},
      // oxlint-disable-next-line require-await -- the interface is asynchronous
      async open({ broker, line, logger }) {
        // Only the first process that opens the file recovers it: a commit in doubt is decided then.
        if (order.every((other) => other.name === name || other.life === null))
          viewDisk.recover(dice.happens('recovery of the view', 0.5));
        const db = createSimulatedConsumerDb(viewDisk, line);
        let assigned = '';
        const runner = createConsumerRunner({
          broker: {
            ...broker,
            consume: (options) =>
              broker.consume({
                ...options,
                onAssigned: (partitions) => {
                  if (assigned !== partitions.join()) world.coverage['assignments'] += 1;
                  assigned = partitions.join();
                  options.onAssigned?.(partitions);
                },
              }),
          },
          db,
          topic: TOPIC,
          group: GROUP,
          memberId: name,
          logger,
          now: world.wall,
          redriveProof: REDRIVE_PROOF,
        });
        runner.start();
        return { runner, db, redriver: createRedriver({ db, broker, topic: TOPIC, proof: REDRIVE_PROOF }) };
      },
      close: ({ runner }) => runner.stop(),
    });
  });

  const all: readonly Service<unknown>[] = [cart, ...order];
  return { cart, order, named: (name) => all.find((service) => service.name === name) ?? null };
};
