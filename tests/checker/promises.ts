import type { OrderFile } from './by_order.ts';
import { bodyOf, isLost, isUncertain, keyOf, mayTakeEffect, statusOf, succeeded } from './exchanges.ts';
import type { OrderRule } from './rule.ts';
import type { Exchange, LoggedEvent } from './evidence.ts';

/** Rules that compare the answers with the log: nothing is lost, nothing is doubled, nothing is promised too early. */
export const promiseRules: readonly OrderRule[] = [
  {
    invariant: 'I1',
    name: 'an order answered 200 is not in the log',
    isBroken: (file) => creates(file).some(succeeded) && !events(file).some(isCreate),
  },
  {
    invariant: 'I1',
    name: 'a status answered 200 is not in the log',
    isBroken: (file) =>
      updates(file).some(
        (update) => succeeded(update) && !events(file).some(({ status }) => status === statusOf(update)),
      ),
  },
  {
    invariant: 'I1',
    name: 'a version is missing from the log',
    // Another producer may leave versions out. The Cart Service counts on from what is in the log.
    isBroken: (file) => {
      const versions = new Set(events(file).map(({ version }) => version ?? 0));
      return events(file).some(
        (event) => !isForeign(event) && (event.version ?? 0) > 1 && !versions.has((event.version ?? 0) - 1),
      );
    },
  },
  {
    invariant: 'I1',
    name: 'an order answered 200 is not known to the Cart Service',
    isBroken: (file, { cart }) =>
      creates(file).some(succeeded) &&
      ((cart !== null && file.cart === undefined) ||
        updates(file).some(
          (update) =>
            update.answer?.status === 404 &&
            !isFirstAnswerAgain(file, update) &&
            creates(file).some((create) => succeeded(create) && create.endedAt < update.askedAt),
        )),
  },
  {
    invariant: 'I1',
    name: 'an order answered 200 is not in the view',
    isBroken: (file, { view }) => view !== null && creates(file).some(succeeded) && file.view === undefined,
  },
  {
    invariant: 'I2',
    name: 'an order was created by two events',
    isBroken: (file) => new Set(events(file).filter(isCreate).map(eventId)).size > 1,
  },
  {
    invariant: 'I2',
    name: 'two events have the same version',
    isBroken: (file) => {
      const versioned = events(file).filter(({ version }) => version !== null);
      return Map.groupBy(versioned, ({ version }) => version)
        .values()
        .some((same) => new Set(same.map(eventId)).size > 1);
    },
  },
  {
    invariant: 'I2',
    name: 'two creates of one order were answered 200, though no answer was uncertain',
    isBroken: (file) => creates(file).filter(succeeded).length > 1 && !creates(file).some(isUncertain),
  },
  {
    invariant: 'I5',
    name: 'a create answered not_created has appeared',
    isBroken: (file) =>
      creates(file).some(({ answer }) => answer?.outcome === 'not_created') &&
      creates(file).every(isCertainNo) &&
      !events(file).some(isForeign) &&
      (events(file).some(isCreate) || file.cart !== undefined || file.view !== undefined),
  },
  {
    invariant: 'I5',
    name: 'an update answered not_updated has appeared',
    isBroken: (file) =>
      Map.groupBy(updates(file), statusOf)
        .entries()
        .some(
          ([status, asked]) =>
            asked.some(({ answer }) => answer?.outcome === 'not_updated') &&
            asked.every(isCertainNo) &&
            events(file).some((event) => event.order === null && event.status === status && !isForeign(event)),
        ),
  },
  {
    invariant: 'I5',
    name: 'a create repeated after unknown was answered 409',
    isBroken: (file) => {
      const asked = creates(file);
      const conflict = asked.find(({ answer }) => answer?.status === 409);
      if (conflict === undefined) return false;
      const before = asked.filter(({ askedAt }) => askedAt < conflict.endedAt);
      // A 409 is right if an earlier answer was a 200 or was lost, or if the requests differ.
      return (
        asked.every(({ request }) => bodyOf({ request }) === bodyOf(conflict)) &&
        before.some(({ answer }) => answer?.outcome === 'unknown') &&
        !events(file).some((event) => isCreate(event) && isForeign(event)) &&
        !before.some((create) => succeeded(create) || isLost(create))
      );
    },
  },
  {
    invariant: 'I7',
    name: 'a 200 was answered before the log took its event',
    isBroken: (file, { limits }) =>
      file.exchanges.some((exchange) => {
        if (exchange.request.kind === 'read' || !succeeded(exchange)) return false;
        const written = file.entries.filter(({ event }) =>
          exchange.request.kind === 'create' ? event?.order !== null : event?.status === statusOf(exchange),
        );
        return (
          written.length > 0 &&
          written.every(({ writtenAt }) => writtenAt !== null && writtenAt > exchange.endedAt + limits.clockMs)
        );
      }),
  },
];

const creates = (file: OrderFile): Exchange[] => file.exchanges.filter(({ request }) => request.kind === 'create');
const updates = (file: OrderFile): Exchange[] => file.exchanges.filter(({ request }) => request.kind === 'update');

/** Without the creations that others write of an order that exists: the fold must ignore them. */
const events = (file: OrderFile): LoggedEvent[] => {
  const all = file.entries.flatMap(({ event }) => event ?? []);
  const creation = all.find(isCreate);
  return all.filter((event) => !isCreate(event) || !isForeign(event) || event.eventId === creation?.eventId);
};

/** Under an idempotency key, the first answer is given again, also if it did not reach the client. */
const isFirstAnswerAgain = (file: OrderFile, { request, askedAt }: Exchange): boolean =>
  request.kind === 'update' &&
  request.key != null &&
  updates(file).some((before) => before.askedAt < askedAt && keyOf(before) === request.key);

const eventId = (event: LoggedEvent): string => event.eventId;
const isForeign = (event: LoggedEvent): boolean => event.isForeign === true;
const isCreate = (event: LoggedEvent): boolean => event.order !== null;

const isCertainNo = (exchange: Exchange): boolean => !mayTakeEffect(exchange);
