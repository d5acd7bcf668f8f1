import { isDeepStrictEqual } from 'node:util';
import type { OrderFile } from './by_order.ts';
import type { OrderRule, SystemRule } from './rule.ts';
import type { LoggedEvent } from './evidence.ts';
import { fold } from './fold.ts';
import { duplicatesOf, eachOnce, position, some } from './lists.ts';

/** Rules that compare the stores with the log, and with each other. */
const orders: readonly OrderRule[] = [
  {
    invariant: 'I3',
    name: 'the view holds what the log does not',
    isBroken: (file) => {
      const { order } = folded(file);
      return (file.view !== undefined && order === null) || (file.pending !== undefined && file.entries.length === 0);
    },
  },
  {
    invariant: 'I3',
    name: 'an order of the log is not in the view',
    isBroken: (file, { view }) => {
      if (view === null || file.entries.length === 0) return false;
      return folded(file).order === null ? file.pending === undefined : file.view === undefined;
    },
  },
  {
    invariant: 'I3',
    name: 'the view of an order is not the fold of the log',
    isBroken: (file) => {
      const expected = folded(file);
      const seen = file.view ?? file.pending;
      if (seen === undefined || file.entries.length === 0) return false;
      return (
        seen.version !== expected.version ||
        seen.status !== expected.status ||
        (file.view !== undefined && !isDeepStrictEqual(file.view.order, expected.order)) ||
        (file.view !== undefined && file.pending !== undefined)
      );
    },
  },
  {
    invariant: 'I4',
    name: 'the Cart Service and the log do not agree',
    isBroken: ({ cart, entries }) => {
      if (cart === undefined) return false;
      const { version, status } = fold(entries.flatMap(({ event }) => event ?? []));
      return entries.length === 0 || cart.version !== version || cart.status !== status;
    },
  },
];

const system: readonly SystemRule[] = [
  {
    invariant: 'I3',
    name: 'the listing does not hold each order once',
    breaches: ({ view }) => {
      if (view === null) return [];
      const listed = new Set(view.listed);
      const known = new Set(view.orders.map(({ orderId }) => orderId));
      return [
        ...some('twice', duplicatesOf(view.listed)),
        ...some('not listed', [...known.difference(listed)]),
        ...some('listed, but not there', [...listed.difference(known)]),
      ];
    },
  },
  {
    invariant: 'I3',
    name: 'the dead letters are not the unreadable messages, each once',
    breaches: ({ view, log }) => {
      if (view === null) return [];
      const kept = view.deadLetters.map(position);
      const unreadable = new Set(log.filter(({ event }) => event === null).map(position));
      return eachOnce(kept, unreadable, 'a dead letter, but readable');
    },
  },
  {
    invariant: 'I3',
    name: 'the group was told of an offset that the view had not reached',
    breaches: ({ commits }) =>
      commits
        .filter(({ next, viewNext }) => next > viewNext)
        .slice(0, 3)
        .map(
          ({ partition, next, viewNext }) => `partition ${partition}: committed ${next}, the view was at ${viewNext}`,
        ),
  },
  {
    invariant: 'I4',
    name: 'the outbox did not become empty',
    breaches: ({ cart }) =>
      some(
        'left',
        (cart?.outbox ?? []).map(({ orderId, eventId }) => `${eventId} of ${orderId}`),
      ),
  },
  {
    invariant: 'I4',
    name: 'cart and view did not agree in time after the heal',
    breaches: ({ heals, limits }) =>
      heals.flatMap(({ at, agreedAt }) =>
        agreedAt !== null && agreedAt - at <= limits.agreeMs
          ? []
          : [
              `healed at ${at.toFixed(0)} ms, ${agreedAt === null ? 'never agreed' : `agreed after ${(agreedAt - at).toFixed(0)} ms`}`,
            ],
      ),
  },
];

export const agreementRules = { orders, system };

const folded = (file: OrderFile) => fold(file.entries.flatMap(({ event }): LoggedEvent[] => (event ? [event] : [])));
