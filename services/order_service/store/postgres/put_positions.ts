import type { Query, Row } from '#service_common/postgres/statements.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { PositionStep } from '#order_service/consumer_db.ts';

/** A step, with the number of its topic in this database. */
export type NumberedStep = PositionStep & { readonly topicNumber: number };

/**
 * Sends the statements that lock the positions and move them.
 * @returns the locked rows, to be compared
 */
export const movePositions = async (
  query: Query,
  steps: readonly NumberedStep[],
  counted: { readonly orders: number; readonly deadLetters: number },
): Promise<readonly Row[]> => {
  const topics = steps.map(({ topic }) => topic);
  const partitions = steps.map(({ partition }) => partition);
  // Two that make the same row at the same time wait here for each other. Then the later one finds the position moved.
  const isAnyNew = steps.some(({ from }) => from === null);
  const made = isAnyNew ? [query(MAKE, [topics, partitions])] : [];
  const locked = query(LOCK, [topics, partitions]);
  const moved = query(MOVE, [
    topics,
    partitions,
    steps.map(({ topicNumber }) => topicNumber),
    steps.map(({ next }) => next),
    // The sums over all rows count, so any row may take them.
    steps.map((_, n) => (n === 0 ? counted.orders : 0)),
    steps.map((_, n) => (n === 0 ? counted.deadLetters : 0)),
  ]);
  const [rows] = await Promise.all([locked, ...made, moved]);
  return rows;
};

/** @throws StoreError `STORE_OVERTAKEN` */
export const comparePositions = (locked: readonly Row[], steps: readonly NumberedStep[]): void => {
  for (const { topic, topicNumber, partition, from } of steps) {
    const row = locked.find((one) => one['topic'] === topic && one['partition'] === partition);
    const stored = row?.['topic_number'] === topicNumber ? (row['next'] as number) : null;
    if (stored !== from) throw new StoreError('STORE_OVERTAKEN', overtaken(partition, from, stored));
  }
};

const overtaken = (partition: number, from: number | null, stored: number | null): string =>
  `partition ${partition} of the view is at ${stored} and no longer at ${from}: another process applies it too`;

const MAKE = `
  INSERT INTO order_service.positions (topic, partition)
  SELECT topic, partition FROM unnest($1::text[], $2::int[]) AS g(topic, partition)
  ORDER BY topic COLLATE "C", partition
  ON CONFLICT DO NOTHING`;

const LOCK = `
  SELECT topic, partition, topic_number, next FROM order_service.positions
  WHERE (topic, partition) IN (SELECT * FROM unnest($1::text[], $2::int[]))
  ORDER BY topic, partition FOR UPDATE`;

const MOVE = `
  UPDATE order_service.positions p
  SET topic_number = g.topic_number, next = g.next, commits = commits + 1,
      orders = p.orders + g.orders, dead_letters = p.dead_letters + g.dead_letters
  FROM unnest($1::text[], $2::int[], $3::int[], $4::bigint[], $5::bigint[], $6::bigint[])
    AS g(topic, partition, topic_number, next, orders, dead_letters)
  WHERE p.topic = g.topic AND p.partition = g.partition`;
