import type { Query } from '#service_common/postgres/statements.ts';
import { fromPostgresText, toPostgresText } from '#service_common/stored_text.ts';
import type { CartBatch, Committed } from '#cart_service/store/cart_store.ts';
import * as sql from './cart_statements.ts';

/** Runs a statement over rows, one list of values for each column; not if there are no rows. */
const over = async <T>(
  query: Query,
  statement: string,
  rows: readonly T[],
  columns: readonly ((row: T) => unknown)[],
  ...further: readonly unknown[]
): Promise<readonly string[]> => {
  if (rows.length === 0) return [];
  const found = await query(statement, [...columns.map((valueOf) => rows.map(valueOf)), ...further]);
  return found.map((row) => String(Object.values(row)[0]));
};

const id = ({ orderId }: { readonly orderId: string }): string => toPostgresText(orderId);

/**
 * Applies a batch inside a transaction, in the order of its fields. Statements that do not need the result of another one
 * are sent together, so a usual batch takes two round trips.
 * @param instance the number of this one
 */
export const applyBatch = async (query: Query, instance: number, batch: CartBatch): Promise<Committed> => {
  const [, , , takenOver] = await Promise.all([
    query(sql.LOCK, [idsToLock(batch)]),
    settle(query, batch),
    batch.isNewTopic ? query(sql.NEW_TOPIC, [batch.positions[0]?.topicId ?? null]) : null,
    takeBack(query, instance, batch),
  ]);
  const [recorded] = await Promise.all([record(query, batch), learn(query, batch)]);
  const [lost] = await Promise.all([decide(query, instance, batch, new Set(recorded)), finish(query, batch)]);
  return { lost, takenOver };
};

/** @returns the keys that have no other record */
const record = (query: Query, { idempotency }: CartBatch): Promise<readonly string[]> =>
  over(query, sql.RECORD, idempotency, [
    ({ key }) => key,
    ({ fingerprint }) => fingerprint,
    id,
    ({ refusal }) => (refusal === null ? null : JSON.stringify(refusal)),
    ({ createdAt }) => createdAt,
  ]);

const idsToLock = ({ ahead, takenBack, learned, orders }: CartBatch): readonly string[] => [
  ...new Set([...ahead, ...takenBack.map(({ row }) => row), ...learned, ...orders.map(({ state }) => state)].map(id)),
];

const settle = async (query: Query, { settled, ahead, unanswered, forgotten }: CartBatch): Promise<void> => {
  await Promise.all([
    over(query, sql.SETTLE, settled, [id, ({ eventId }) => eventId]),
    over(query, sql.SET_AHEAD, ahead, [id, ({ version }) => version, ({ offset }) => offset]),
    over(query, sql.KEEP_UNANSWERED, unanswered, [id, ({ fingerprint }) => fingerprint, ({ at }) => at]),
    over(query, sql.FORGET_UNANSWERED, forgotten, [id, ({ fingerprint }) => fingerprint]),
  ]);
};

/** @returns the ids of orders whose events another instance has taken over */
const takeBack = async (query: Query, instance: number, batch: CartBatch): Promise<ReadonlySet<string>> => {
  const { takenBack, dropped } = batch;
  if (takenBack.length + dropped.length === 0) return new Set();
  const droppedIds = new Set(dropped.map(({ eventId }) => eventId));
  const rest = dropped.filter(({ eventId }) => !takenBack.some(({ row }) => row.eventId === eventId));
  const gone = new Set(
    await over(
      query,
      sql.TAKE_BACK,
      takenBack,
      [
        ({ row }) => id(row),
        ({ row }) => row.eventId,
        ({ state }) => state.version,
        ({ state }) => state.status,
        ({ row }) => droppedIds.has(row.eventId),
        ({ previous }) => previous?.version ?? null,
        ({ previous }) => previous?.status ?? null,
      ],
      instance,
    ),
  );
  const goneRows = [...takenBack.map(({ row }) => row).filter((row) => gone.has(id(row))), ...rest];
  await Promise.all([
    over(query, sql.SETTLE, rest, [id, ({ eventId }) => eventId]),
    over(
      query,
      sql.FORGET_UNANSWERED,
      dropped.filter(({ fingerprint }) => fingerprint !== null),
      [id, ({ fingerprint }) => fingerprint],
    ),
    query(sql.FORGET_KEYS, [goneRows.flatMap(({ idempotencyKey }) => idempotencyKey ?? [])]),
  ]);
  return new Set(takenBack.flatMap(({ row }) => (gone.has(id(row)) ? [] : [row.orderId])));
};

const learn = (query: Query, { learned }: CartBatch): Promise<readonly string[]> =>
  over(query, sql.LEARN, learned, [
    id,
    ({ version }) => version,
    ({ status }) => status,
    ({ version, logged = version }) => logged,
    ({ isPending = false }) => isPending,
  ]);

/** @param recorded the keys under which this batch has the first record @returns the ids of the orders that are lost */
const decide = async (
  query: Query,
  instance: number,
  batch: CartBatch,
  recorded: ReadonlySet<string>,
): Promise<ReadonlySet<string>> => {
  const lost = new Set(batch.idempotency.filter(({ key }) => !recorded.has(key)).map(({ orderId }) => orderId));
  const orders = batch.orders.filter(({ state }) => !lost.has(state.orderId));
  if (orders.length === 0) return lost;
  const rows = batch.outbox.filter(({ orderId }) => !lost.has(orderId));
  const kept = await query(sql.DECIDE, [
    orders.map(({ state }) => id(state)),
    orders.map(({ state }) => state.version),
    orders.map(({ state }) => state.status),
    orders.map(({ previous }) => previous?.version ?? null),
    orders.map(({ previous }) => previous?.status ?? null),
    rows.map(id),
    rows.map(({ eventId }) => eventId),
    rows.map(({ seq }) => seq),
    rows.map(({ fingerprint }) => fingerprint),
    rows.map(({ idempotencyKey }) => idempotencyKey),
    rows.map(({ message }) => JSON.stringify(message.headers)),
    rows.map(({ message }) => message.value),
    instance,
  ]);
  if (kept.length === orders.length) return lost;
  const keptIds = new Set(kept.map((row) => fromPostgresText(String(row['order_id']))));
  for (const { state } of orders) if (!keptIds.has(state.orderId)) lost.add(state.orderId);
  const lostKeys = batch.idempotency.filter(({ key, orderId }) => recorded.has(key) && lost.has(orderId));
  await query(sql.FORGET_KEYS, [lostKeys.map(({ key }) => key)]);
  return lost;
};

const finish = async (query: Query, { positions, expireBefore }: CartBatch): Promise<void> => {
  const furthest = [...new Map(positions.map((position) => [position.partition, position])).values()];
  await Promise.all([
    over(query, sql.SET_POSITIONS, furthest, [
      ({ partition }) => partition,
      ({ topicId }) => topicId,
      ({ next }) => next,
    ]),
    ...(expireBefore === null
      ? []
      : [sql.EXPIRE_KEYS, sql.EXPIRE_UNANSWERED].map((each) => query(each, [expireBefore]))),
  ]);
};
