import type { OrderEvent } from '#kafka_common/events.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import { type Circumstances, decide, type OrderState } from '#cart_service/order_commands.ts';
import { type Answer, type CommandRequest, DONE } from '#cart_service/requests.ts';
import type { IdempotencyRecord, LoadedOrders, OutboxRow } from '#cart_service/store/cart_store.ts';

/** An event that a batch publishes, with the state before it, to take it back. */
export interface PlannedEvent<Entry> {
  readonly entry: Entry;
  readonly row: OutboxRow;
  readonly state: OrderState;
  readonly previous: OrderState | null;
}

/** All that one batch will do. */
export interface BatchPlan<Entry> {
  /** To be given at once: nothing has to be stored for them. */
  readonly answers: readonly { readonly entry: Entry; readonly answer: Answer }[];
  /** To be given after the transaction, which stores their idempotency records. */
  readonly answersAfterCommit: readonly { readonly entry: Entry; readonly answer: Answer }[];
  readonly events: readonly PlannedEvent<Entry>[];
  readonly idempotency: readonly IdempotencyRecord[];
}

/**
 * Decides a batch of requests. No two may be about one order or under one idempotency key.
 * @param firstSeq the outbox number of the first event; the next events get the next numbers
 */
export const planBatch = <Entry extends { readonly request: CommandRequest }>(
  batch: readonly Entry[],
  loaded: LoadedOrders,
  firstSeq: number,
  circumstances: Circumstances,
): BatchPlan<Entry> => {
  const plan = {
    answers: [] as { entry: Entry; answer: Answer }[],
    answersAfterCommit: [] as { entry: Entry; answer: Answer }[],
    events: [] as PlannedEvent<Entry>[],
    idempotency: [] as IdempotencyRecord[],
  };

  for (const entry of batch) {
    const { command, idempotencyKey, traceparent } = entry.request;
    const { orderId, fingerprint } = command;
    const earlier = idempotencyKey === null ? undefined : loaded.idempotency.get(idempotencyKey);
    if (earlier !== undefined) {
      plan.answers.push({ entry, answer: answerFromRecord(earlier, fingerprint) });
      continue;
    }

    const previous = loaded.orders.get(orderId);
    const decision = decide(command, previous, loaded.unanswered.get(orderId), circumstances);
    if (idempotencyKey !== null) {
      const refusal = decision.kind === 'refused' ? decision.refusal : null;
      plan.idempotency.push({ key: idempotencyKey, fingerprint, orderId, refusal, createdAt: circumstances.now });
    }
    if (decision.kind === 'event') {
      const seq = firstSeq + plan.events.length;
      const row = outboxRow(seq, decision.event, traceparent, command.kind === 'create' ? fingerprint : null);
      plan.events.push({ entry, row, state: decision.state, previous: previous ?? null });
    } else {
      const answer: Answer = decision.kind === 'refused' ? { kind: 'refused', refusal: decision.refusal } : DONE;
      (idempotencyKey === null ? plan.answers : plan.answersAfterCommit).push({ entry, answer });
    }
  }
  return plan;
};

const answerFromRecord = (record: IdempotencyRecord, fingerprint: string): Answer => {
  if (record.fingerprint !== fingerprint) {
    return {
      kind: 'refused',
      refusal: {
        code: 'IdempotencyKeyReused',
        detail: `this Idempotency-Key came before with another request, about order ${record.orderId}`,
      },
    };
  }
  return record.refusal === null ? DONE : { kind: 'refused', refusal: record.refusal };
};

const outboxRow = (seq: number, event: OrderEvent, traceparent: string, fingerprint: string | null): OutboxRow => ({
  seq,
  eventId: event.eventId,
  orderId: event.orderId,
  message: encodeEvent(event, traceparent),
  fingerprint,
});
