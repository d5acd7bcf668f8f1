import type { LogRecord } from '#kafka_common/broker.ts';
import { repetitionKeyOf } from '#kafka_common/events.ts';
import type {
  AppliedBatch,
  DeadLetter,
  EventOutcome,
  HistoryEvent,
  LetterPosition,
  ViewWriter,
} from '#order_service/consumer_db.ts';
import { applyEvents } from '#order_service/order_event_handler.ts';
import { redriveClaim } from '#order_service/redrive/redrive_header.ts';
import type { RedriveProof } from '#order_service/redrive/redrive_proof.ts';
import type { AppliedTransaction } from './apply_observers.ts';
import type { Part } from './apply_queue.ts';
import { decodeRecords, type LocatedEvent } from './decode_records.ts';

/**
 * Applies the parts in one transaction: decodes their records, loads the views of their orders, decides, and commits.
 * @param now milliseconds since 1970
 * @throws StoreError if nothing of it was applied
 */
export const applyTransaction = async (
  db: Pick<ViewWriter, 'load' | 'applyBatch'>,
  parts: readonly Part[],
  now: () => number,
  proof: RedriveProof,
): Promise<AppliedTransaction> => {
  const startedAt = performance.now();
  const decoded = decodeRecords(parts, now());
  const { deadLetters } = decoded;
  const events = decoded.events.map(({ event }) => event);
  const { basis, ...loaded } = await db.load(
    [...new Set(events.map(({ orderId }) => orderId))],
    events.filter(({ version }) => version === null).map(repetitionKeyOf),
  );
  const { outcomes, ...changes } = applyEvents(loaded, events, now());
  const history = decoded.events.map((located, n) => toHistory(located, outcomes[n] ?? 'duplicate'));
  const redriven = redrivesIn(decoded.events, history, deadLetters, redriveCheck(parts, proof));
  const positions = parts.map(({ topic, partition, from, next }) => ({
    topic: topic.name,
    partition,
    topicId: topic.id,
    from,
    next,
  }));
  await db.applyBatch({ positions, ...changes, history, deadLetters, redriven, basis });
  const orderIds = changes.views.filter(({ pendingSince }) => pendingSince === null).map(({ orderId }) => orderId);
  return { ...decoded, orderIds, history, startedAt, endedAt: performance.now() };
};

const toHistory = ({ event, partition, record }: LocatedEvent, outcome: EventOutcome): HistoryEvent => ({
  orderId: event.orderId,
  type: event.type,
  version: event.version,
  status: event.type === 'ORDER_CREATED' ? event.order.status : event.status,
  timestamp: Date.parse(event.timestamp),
  partition,
  offset: record.offset,
  outcome,
});

/** Returns the letter that a message of a partition is a redrive of; null unless this service has published it as one. */
const redriveCheck = (parts: readonly Part[], proof: RedriveProof) => {
  const topicIds = new Map(parts.map(({ partition, topic }) => [partition, topic.id]));
  return (partition: number, headers: LogRecord['headers']): LetterPosition | null => {
    const claim = redriveClaim(headers);
    const topicId = topicIds.get(partition);
    if (claim === null || topicId === undefined) return null;
    return claim.proof === proof(claim.letter, { topicId, partition }) ? claim.letter : null;
  };
};

/** What the messages of a transaction show about redriven dead letters. */
const redrivesIn = (
  events: readonly LocatedEvent[],
  history: readonly HistoryEvent[],
  deadLetters: readonly DeadLetter[],
  redrivenLetter: (partition: number, headers: LogRecord['headers']) => LetterPosition | null,
): AppliedBatch['redriven'] => [
  ...events.flatMap(({ partition, record }, n) => {
    const letter = redrivenLetter(partition, record.headers);
    const outcome = history[n]?.outcome;
    return letter && outcome ? [{ letter, at: record.timestamp, partition, offset: record.offset, outcome }] : [];
  }),
  ...deadLetters.flatMap(({ headers, timestamp: at, partition, offset }) => {
    const letter = redrivenLetter(partition, headers);
    return letter ? [{ letter, at, partition, offset, outcome: 'dead_letter' as const }] : [];
  }),
];
