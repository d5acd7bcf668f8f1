import type { OrderFile } from './by_order.ts';
import type { Exchange, LogEntry } from './evidence.ts';
import { eachOnce, position, some } from './lists.ts';
import type { OrderRule, SystemRule } from './rule.ts';

/**
 * Rules for the log being shared (I9): the records of others concern only themselves. An aborted record does nothing, and
 * each committed record has its place in the view.
 */
const orders: readonly OrderRule[] = [
  {
    invariant: 'I9',
    name: 'an aborted record had an effect',
    isBroken: ({ aborted, entries, view, pending, cart }) =>
      [view, pending, cart].some((state) => {
        const isState = ({ event }: LogEntry): boolean =>
          state !== undefined && event?.version === state.version && event.status === state.status;
        return aborted.some(isState) && !entries.some(isState);
      }),
  },
  {
    invariant: 'I9',
    name: 'a request was refused because of an aborted record',
    isBroken: (file) =>
      file.aborted.length > 0 && file.exchanges.some((exchange) => isRefusedByRule(exchange) && isFree(file, exchange)),
  },
];

const system: readonly SystemRule[] = [
  {
    invariant: 'I9',
    name: 'the history and the dead letters are not the committed records, each once',
    breaches: ({ view, log }) => {
      if (view?.history === undefined) return [];
      const taken = [...view.history, ...view.deadLetters].map(position);
      return eachOnce(taken, new Set(log.map(position)), 'taken, but not committed');
    },
  },
  {
    invariant: 'I9',
    name: 'a redrive published letters that came after it began',
    breaches: ({ redrives = [] }) =>
      redrives.flatMap(({ until, published }) =>
        some(`after letter ${until}`, published.filter((id) => id > until).map(String)),
      ),
  },
  {
    invariant: 'I9',
    name: 'an event of the Cart Service cannot be read',
    breaches: ({ log }) =>
      some('dead letters', log.filter(({ event, isOwn }) => event === null && isOwn === true).map(position)),
  },
  {
    invariant: 'I9',
    name: 'the Cart Service stayed ready without a leader',
    breaches: ({ readyWithout = [], limits: { noticeMs = Infinity } }) =>
      readyWithout
        .filter(({ downMs }) => downMs > noticeMs)
        .slice(0, 1)
        .map(({ leader, downMs }) => `leader ${leader} had been down for ${downMs.toFixed(0)} ms`),
  },
];

export const sharedLogRules = { orders, system };

const isRefusedByRule = ({ answer }: Exchange): boolean =>
  answer?.code === 'OrderAlreadyExists' || answer?.code === 'StatusNotAllowed';

/** No record that exists can be why the request was refused: the order has none, and no request may still cause one. */
const isFree = ({ entries, exchanges }: OrderFile, refused: Exchange): boolean =>
  entries.length === 0 &&
  exchanges.every(
    (other) =>
      other === refused || (other.answer !== null && other.answer.status !== 200 && other.answer.outcome !== 'unknown'),
  );
