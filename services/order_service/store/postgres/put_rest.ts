import type { Query } from '#service_common/postgres/statements.ts';
import { toPostgresText } from '#service_common/stored_text.ts';
import type { AppliedBatch, DeadLetter, HistoryEvent } from '#order_service/consumer_db.ts';
import { headersToText } from '#order_service/store/header_text.ts';
import type { NumberedStep } from './put_positions.ts';

/** Sends the statements that add to the history, and to what else a batch brings. */
export const putRest = async (
  query: Query,
  { history, unversionedEventIds, deadLetters, redriven }: AppliedBatch,
  steps: readonly NumberedStep[],
): Promise<void> => {
  const sent: Promise<unknown>[] = [];
  if (history.length > 0) sent.push(query(PUT_EVENTS, eventColumns(history, steps)));
  if (unversionedEventIds.length > 0) sent.push(query(PUT_SEEN, [unversionedEventIds.map(toPostgresText)]));
  if (deadLetters.length > 0) sent.push(query(PUT_DEAD_LETTERS, letterColumns(deadLetters)));
  // After the letters: when the view is built from the log, a letter and its redrive can come in one batch.
  for (const { letter, at, partition, offset, outcome } of redriven.toSorted(byLetter)) {
    const position = [letter.partition, letter.offset, toPostgresText(letter.topic)];
    sent.push(query(SET_REDRIVEN, [at, partition, offset, outcome, ...position]));
  }
  await Promise.all(sent);
};

type Redriven = AppliedBatch['redriven'][number];

/** All transactions lock letters in this order. */
const byLetter = ({ letter: a }: Redriven, { letter: b }: Redriven): number =>
  a.partition - b.partition || a.offset - b.offset;

const eventColumns = (history: readonly HistoryEvent[], steps: readonly NumberedStep[]): unknown[] => {
  const numbers = new Map(steps.map(({ partition, topicNumber }) => [partition, topicNumber]));
  return [
    history.map(({ partition }) => numbers.get(partition)),
    history.map(({ partition }) => partition),
    history.map(({ offset }) => offset),
    history.map(({ orderId }) => toPostgresText(orderId)),
    history.map(({ type }) => type === 'ORDER_CREATED'),
    history.map(({ version }) => version),
    history.map(({ status }) => status),
    history.map(({ timestamp }) => timestamp),
    history.map(({ outcome }) => outcome),
  ];
};

const letterColumns = (letters: readonly DeadLetter[]): unknown[] => [
  letters.map(({ topic }) => topic),
  letters.map(({ partition }) => partition),
  letters.map(({ offset }) => offset),
  letters.map(({ timestamp }) => timestamp),
  letters.map(({ key }) => key),
  letters.map(({ value }) => value),
  letters.map(({ headers }) => headersToText(headers)),
  letters.map(({ reason }) => toPostgresText(reason)),
  letters.map(({ isWhole }) => isWhole),
  letters.map(({ storedAt }) => storedAt),
];

/** The numbers of an identity column are given in the order of the rows. */
const PUT_EVENTS = `
  INSERT INTO order_service.events
    (topic_number, partition, "offset", order_id, is_creation, version, status, "timestamp", outcome)
  SELECT topic_number, partition, "offset", order_id, is_creation, version, status, "timestamp", outcome
  FROM unnest($1::int[], $2::int[], $3::bigint[], $4::text[], $5::boolean[], $6::bigint[], $7::text[], $8::bigint[],
              $9::text[]) WITH ORDINALITY
    AS g(topic_number, partition, "offset", order_id, is_creation, version, status, "timestamp", outcome, n)
  ORDER BY n`;

const PUT_SEEN = `
  INSERT INTO order_service.seen_events (event_id)
  SELECT event_id FROM unnest($1::text[]) AS g(event_id) ORDER BY event_id COLLATE "C"
  ON CONFLICT DO NOTHING`;

const PUT_DEAD_LETTERS = `
  INSERT INTO order_service.dead_letters
    (topic, partition, "offset", "timestamp", key, value, headers, reason, is_whole, stored_at)
  SELECT topic, partition, "offset", "timestamp", key, value, headers, reason, is_whole, stored_at
  FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bytea[], $6::bytea[], $7::text[], $8::text[],
              $9::boolean[], $10::bigint[]) WITH ORDINALITY
    AS g(topic, partition, "offset", "timestamp", key, value, headers, reason, is_whole, stored_at, n)
  ORDER BY n`;

/** A topic that was made again has the same offsets again. The redrive is of the held letter; of two, of the later one. */
const SET_REDRIVEN = `
  UPDATE order_service.dead_letters
  SET redriven_at = $1, redriven_partition = $2, redriven_offset = $3, redriven_outcome = $4
  WHERE redriven_at IS NULL AND id = (
    SELECT max(id) FROM order_service.dead_letters
    WHERE partition = $5 AND "offset" = $6 AND topic = $7 AND redriven_at IS NULL)`;
