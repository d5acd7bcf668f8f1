import type { OrderEvent } from '#kafka_common/events.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import type { IdempotencyRecord, LoadedOrders, OrderState, OutboxRow } from '#cart_service/store/cart_store.ts';
import { type Circumstances, decide } from '#cart_service/order_commands.ts';
import { type Answer, DONE, type Request } from '#cart_service/requests.ts';

/** An event that a batch publishes, and what undoes it. */
export interface PlannedEvent<R> {
  readonly of: R;
  readonly row: OutboxRow;
  readonly state: OrderState;
  readonly previous: OrderState | null;
}

/** What one batch does, decided before anything is done. */
export interface BatchPlan<R> {
  /** Need nothing stored: answered at once. */
  readonly answers: readonly { readonly of: R; readonly answer: Answer }[];
  /** Answered once the plan's transaction stands, which keeps their idempotency records. */
  readonly answersAfterCommit: readonly { readonly of: R; readonly answer: Answer }[];
  readonly events: readonly PlannedEvent<R>[];
  readonly idempotency: readonly IdempotencyRecord[];
}

/**
 * Decides a batch of requests, none two of which are about the same order or under the same idempotency key.
 * @param firstSeq the outbox number of the first event; the following are counted on
 */
export const planBatch = <R extends { readonly request: Request }>(
  batch: readonly R[],
  loaded: LoadedOrders,
  firstSeq: number,
  circumstances: Circumstances,
): BatchPlan<R> => {
  const plan = {
    answers: [] as { of: R; answer: Answer }[],
    answersAfterCommit: [] as { of: R; answer: Answer }[],
    events: [] as PlannedEvent<R>[],
    idempotency: [] as IdempotencyRecord[],
  };

  for (const waiting of batch) {
    const { command, idempotencyKey, traceparent } = waiting.request;
    const { orderId, fingerprint } = command;
    const earlier = idempotencyKey === null ? undefined : loaded.idempotency.get(idempotencyKey);
    if (earlier !== undefined) {
      plan.answers.push({ of: waiting, answer: answerFromRecord(earlier, fingerprint) });
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
      plan.events.push({ of: waiting, row, state: decision.state, previous: previous ?? null });
    } else {
      const answer: Answer = decision.kind === 'refused' ? { kind: 'refused', refusal: decision.refusal } : DONE;
      (idempotencyKey === null ? plan.answers : plan.answersAfterCommit).push({ of: waiting, answer });
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
