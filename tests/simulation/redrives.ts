import type { RedriveOutcome, Redriver } from '#order_service/redrive/redrive.ts';
import { StoreError } from '#service_common/store_error.ts';
import { nextVersions, versionOf } from './other_producers.ts';
import type { Operation } from './plan.ts';
import type { Services } from './services.ts';
import type { World } from './world.ts';

/** Begins the ids of orders that only repaired dead letters write. */
const ID_PREFIX = 'ORD-79';
const LETTERS_AT_A_TIME = 2;
const MAX_CALLS = 20;
/** The operator stays until the end. */
const NEVER = new AbortController().signal;

/** An operator publishes held dead letters again: as they are, or each repaired to the next version of an order. */
export const redrive = (
  world: World,
  services: Services,
  { repairs, order }: Extract<Operation, { kind: 'redrive' }>,
): void => {
  const listening = services.order.find((service) => service.listening !== null)?.listening;
  if (!listening) return;
  const { redriver } = listening.program;

  const publish = (): Promise<RedriveOutcome> => {
    if (!repairs) return publishAll(world, redriver);
    const orderId = `${ID_PREFIX}${order}`;
    const letter = world.viewDisk.state.deadLetters.find((each) => each.redrive === null);
    const [message] = nextVersions(world, orderId, versionOf(world, orderId), ['confirmed']);
    return redriver.letters(
      letter === undefined || message === undefined ? [] : [{ id: letter.id, key: orderId, value: message.value }],
      NEVER,
    );
  };

  world.time.at(world.time.now, listening.life, () => {
    publish()
      .then((outcome) => count(world, outcome))
      .catch((error: unknown) => {
        if (!(error instanceof StoreError)) throw error;
      });
  });
};

/** Goes on, page after page, until the end of the letters that were held at the first call. */
const publishAll = async (world: World, redriver: Redriver): Promise<RedriveOutcome> => {
  let outcome = await redriver.matching({}, { after: 0, limit: LETTERS_AT_A_TIME }, NEVER);
  if (outcome.kind !== 'done' || outcome.until === null) return outcome;
  const { until } = outcome;
  const all = { until, published: publishedIn(outcome) };
  world.redrives.push(all);
  for (let calls = 1; outcome.kind === 'done' && outcome.next !== null && calls < MAX_CALLS; calls++) {
    if (outcome.stopped !== null) break;
    outcome = await redriver.matching({}, { after: outcome.next, until, limit: LETTERS_AT_A_TIME }, NEVER);
    all.published.push(...publishedIn(outcome));
  }
  return outcome;
};

const publishedIn = (outcome: RedriveOutcome): number[] =>
  outcome.kind === 'done' ? outcome.results.filter((each) => each.outcome === 'published').map(({ id }) => id) : [];

const count = ({ coverage }: World, outcome: RedriveOutcome): void => {
  if (outcome.kind !== 'done') return;
  coverage['letters redriven'] += publishedIn(outcome).length;
};
