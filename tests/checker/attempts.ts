import type { OrderFile } from './by_order.ts';
import type { Exchange, LogEntry, LoggedEvent } from './evidence.ts';
import { bodyOf, isLost, isUnknown, keyOf, mayTakeEffect, statusOf, succeeded } from './exchanges.ts';
import type { OrderRule } from './rule.ts';

/**
 * Rules about the attempts at one request. Attempts under one idempotency key are one request, and so are creates of an
 * order with one body. Updates without a key are one request until one of them gets its `200`: after that the same update
 * is a new one.
 */
interface Attempts {
  readonly kind: 'create' | 'update';
  /** In the order in which they were asked. */
  readonly asked: readonly Exchange[];
  /** The events of the log that only these attempts can have caused, and that have an effect. */
  readonly entries: readonly LogEntry[];
}

export const attemptRules: readonly OrderRule[] = [
  {
    invariant: 'I5',
    name: 'a request that had taken effect was answered that nothing was done',
    isBroken: (file, { limits }) =>
      attemptsOf(file).some((attempts) =>
        attempts.asked.some((no) => isNo(no) && wasDone(attempts, no, limits.clockMs)),
      ),
  },
  {
    invariant: 'I5',
    name: 'an update repeated after unknown was published twice',
    isBroken: (file) =>
      attemptsOf(file).some(
        ({ kind, asked, entries }) =>
          kind === 'update' &&
          asked.some(isUnknown) &&
          // Two clients that ask at the same time may both be answered 200, each for its own event.
          new Set(entries.map(({ event }) => event?.eventId)).size > Math.max(1, asked.filter(succeeded).length),
      ),
  },
  {
    invariant: 'I5',
    name: 'an update repeated after unknown was answered 409',
    isBroken: (file, { limits }) =>
      attemptsOf(file).some(
        ({ kind, asked, entries }) =>
          kind === 'update' &&
          asked.some(
            (conflict, index) =>
              conflict.answer?.code === 'StatusNotAllowed' &&
              asked.slice(0, index).some((before) => isUnknown(before) && before.endedAt <= conflict.askedAt) &&
              entries.some((entry) => isBefore(entry, conflict.askedAt - limits.clockMs)),
          ),
      ),
  },
];

/** Whether the request of an attempt that was answered with a certain no had taken effect, or did so without a later attempt. */
const wasDone = ({ kind, asked, entries }: Attempts, no: Exchange, clockMs: number): boolean => {
  const others = asked.filter((other) => other !== no && mayTakeEffect(other));
  const first = asked[0]?.askedAt ?? 0;
  const own = entries.filter(({ writtenAt }) => writtenAt === null || writtenAt >= first - clockMs);
  if (others.every(({ askedAt }) => askedAt < no.askedAt) && own.length > 0) return true;
  if (own.some((entry) => isBefore(entry, no.askedAt - clockMs))) return true;
  const isLasting = kind === 'create' || keyOf(no) !== null;
  return isLasting && asked.some((other) => succeeded(other) && other.endedAt <= no.askedAt);
};

const attemptsOf = (file: OrderFile): readonly Attempts[] => {
  const writes = file.exchanges.filter(({ request }) => request.kind !== 'read');
  const creates = writes.filter(({ request }) => request.kind === 'create');
  const updates = writes.filter(({ request }) => request.kind === 'update');
  const groups = [
    ...Map.groupBy(creates, bodyOf).values(),
    ...Map.groupBy(
      updates.filter((update) => keyOf(update) !== null),
      (update) => `${statusOf(update)} ${keyOf(update)}`,
    ).values(),
    ...Map.groupBy(
      updates.filter((update) => keyOf(update) === null),
      statusOf,
    )
      .values()
      .flatMap(untilSuccess),
  ];
  return groups.map((asked) => ({
    kind: asked[0]?.request.kind === 'create' ? 'create' : 'update',
    asked,
    entries: entriesOf(file, writes, asked),
  }));
};

/** Splits the attempts at an update without a key: after a success, or an answer that was lost, the next one is new. */
const untilSuccess = (asked: readonly Exchange[]): readonly Exchange[][] => {
  const groups: Exchange[][] = [];
  for (const exchange of asked) {
    const group = groups.at(-1);
    const isOver =
      group?.some((other) => (succeeded(other) && other.endedAt <= exchange.askedAt) || isLost(other)) ?? true;
    if (group === undefined || isOver) groups.push([exchange]);
    else group.push(exchange);
  }
  return groups;
};

/** None if another request, or another producer, may have caused the same event. */
const entriesOf = (file: OrderFile, writes: readonly Exchange[], asked: readonly Exchange[]): readonly LogEntry[] => {
  const [first] = asked;
  if (first === undefined) return [];
  const isAlike = ({ request }: Exchange): boolean =>
    request.kind === first.request.kind && (request.kind === 'create' || statusOf({ request }) === statusOf(first));
  const entries = file.entries.filter(
    ({ event }) =>
      event !== null &&
      (first.request.kind === 'create') === (event.order !== null) &&
      (event.order !== null || event.status === statusOf(first)) &&
      hasEffect(file, event),
  );
  const isAmbiguous =
    entries.some(({ event }) => event?.isForeign === true) ||
    writes.some((other) => isAlike(other) && !asked.includes(other) && mayTakeEffect(other));
  return isAmbiguous ? [] : entries;
};

/** The log gives a version to its first event with it. A later one is a duplicate: it does nothing to the order. */
const hasEffect = ({ entries }: OrderFile, { eventId, version }: LoggedEvent): boolean =>
  version === null || entries.find(({ event }) => event?.version === version)?.event?.eventId === eventId;

const isBefore = ({ writtenAt }: LogEntry, at: number): boolean => writtenAt !== null && writtenAt < at;

const isNo = ({ answer }: Exchange): boolean => answer?.outcome?.startsWith('not_') === true;
