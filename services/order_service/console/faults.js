/** @import { CartHealth, Condition, Flow, StreamLink } from './types.d.ts' */

/**
 * The condition of each place on the way from the Cart Service to the view. A fault shows only at the place that has it.
 * @typedef {{ cart: Condition, publish: Condition, topic: Condition, consume: Condition, view: Condition }} Conditions
 * @typedef {{ at: number, end: number | null, lag: number | null }} Total
 */

/** @type {Condition} */
const UNKNOWN = { level: 'unknown', text: 'Unknown', detail: null };

/** @param {string} text @returns {Condition} */
const ok = (text) => ({ level: 'ok', text, detail: null });

/** @param {string} text @param {string | null} detail @returns {Condition} */
const bad = (text, detail) => ({ level: 'bad', text, detail });

/** @param {string} text @param {string | null} detail @returns {Condition} */
const warn = (text, detail) => ({ level: 'warn', text, detail });

/**
 * @param {{ link: StreamLink, flow: Flow | null, cart: CartHealth, totals: readonly Total[] }} seen
 * @returns {Conditions}
 */
export const diagnose = ({ link, flow, cart, totals }) => {
  const [cartItself, publish] = ofCart(cart);
  if (link.kind === 'lost') {
    const view = bad('Order Service does not answer', link.detail);
    return { cart: cartItself, publish, topic: UNKNOWN, consume: UNKNOWN, view };
  }
  if (flow === null) return { cart: cartItself, publish, topic: UNKNOWN, consume: UNKNOWN, view: UNKNOWN };
  return { cart: cartItself, publish, topic: ofTopic(flow), consume: ofConsumer(flow, totals), view: ofView(flow) };
};

/** @param {CartHealth} cart @returns {[Condition, Condition]} the service itself, and its link to the topic */
const ofCart = (cart) => {
  if (cart.kind === 'unknown') return [UNKNOWN, UNKNOWN];
  if (cart.kind === 'silent') return [bad('Not reachable', `${cart.url}: ${cart.detail}`), UNKNOWN];
  if (cart.kind === 'forbids') {
    return [
      warn(
        'Runs, but refuses this page',
        `Add the origin of this page to CONSOLE_ORIGINS of the Cart Service at ${cart.url}`,
      ),
      UNKNOWN,
    ];
  }
  if (cart.storeFailure !== null) {
    return [bad('Store fails', cart.storeFailure), cart.ready ? ok('Publishing') : bad('Cannot publish', cart.reason)];
  }
  if (cart.ready) return [ok('Ready'), ok('Publishing')];
  if (cart.state === 'closing') return [warn('Stopping', cart.reason), UNKNOWN];
  const text = cart.state === 'starting' ? 'Starting' : 'Not ready';
  return [warn(text, cart.reason), bad('Cannot publish', cart.reason)];
};

/** @param {Flow} flow */
const ofTopic = ({ brokerReason, state, warnings }) => {
  if (brokerReason !== null) return bad('Broker not reachable', brokerReason);
  if (state === 'waiting_for_topic') return warn('The topic does not exist yet', null);
  const [warning = null] = warnings;
  return warning === null ? ok('Reachable') : warn('Look at the topic', warning);
};

/** @param {Flow} flow @param {readonly Total[]} totals */
const ofConsumer = ({ state, reason }, totals) => {
  if (state === 'reconnecting') return bad('Consumer reconnecting', reason);
  if (state === 'waiting_for_topic') return warn('Waiting for the topic', reason);
  if (state === 'starting') return warn('Consumer starting', reason);
  const lag = totals.at(-1)?.lag ?? null;
  if (isLagGrowing(totals)) return warn('Lag is growing', `${lag} events behind, and the number grows each second`);
  return ok('Consuming');
};

/** @param {Flow} flow */
const ofView = ({ storeFailure, state }) => {
  if (storeFailure !== null) return bad('Store fails', storeFailure);
  return state === 'consuming' ? ok('Up to date') : warn('Not up to date', null);
};

/** A smaller lag is normal while a batch is applied. */
const NOTABLE_LAG = 100;
/** In samples, of which there is one a second. */
const GROWING_FOR = 5;

/** @param {readonly Total[]} totals oldest first */
export const isLagGrowing = (totals) => {
  const lags = totals.slice(-GROWING_FOR - 1).map(({ lag }) => lag);
  if (lags.length <= GROWING_FOR) return false;
  const last = lags.at(-1);
  if (last === null || last === undefined || last < NOTABLE_LAG) return false;
  return lags.every((lag, i) => lag !== null && (i === 0 || lag > (lags[i - 1] ?? Infinity)));
};

/**
 * The growth of the topic in events a second, or null if it is not known.
 * @param {readonly Total[]} totals oldest first
 */
export const growth = (totals) => {
  const known = totals.slice(-6).filter(({ end }) => end !== null);
  const [first, last] = [known[0], known.at(-1)];
  if (first === undefined || last === undefined || last.at <= first.at) return null;
  return Math.max(0, (((last.end ?? 0) - (first.end ?? 0)) * 1_000) / (last.at - first.at));
};

const PLACES = /** @type {const} */ ({
  cart: 'Cart Service',
  publish: 'Cart Service to topic',
  topic: 'Topic',
  consume: 'Topic to view',
  view: 'View',
});

/** All faults, the worst first. @param {Conditions} conditions @returns {{ place: string, condition: Condition }[]} */
export const troubles = (conditions) => {
  const all = Object.entries(PLACES).map(([key, place]) => ({
    place,
    condition: conditions[/** @type {keyof Conditions} */ (key)],
  }));
  return [
    ...all.filter(({ condition }) => condition.level === 'bad'),
    ...all.filter(({ condition }) => condition.level === 'warn'),
  ];
};
