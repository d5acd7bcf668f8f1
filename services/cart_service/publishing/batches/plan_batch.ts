import type { OrderEvent } from '#kafka_common/events.ts';
import { encodeEvent } from '#kafka_common/serdes_json.ts';
import {
  type Circumstances,
  decide,
  type Decision,
  type DecisionWithoutEvent,
  decideWithoutEvent,
  type OrderState,
} from '#cart_service/order_commands.ts';
import { type Answer, type CommandRequest, DONE } from '#cart_service/requests.ts';
import type { CartBatch, IdempotencyRecord, LoadedOrders, OutboxRow } from '#cart_service/store/cart_store.ts';

/** An event that a batch publishes, with the state before it, to take it back. */
export interface PlannedEvent<Entry> {
  readonly entry: Entry;
  readonly row: OutboxRow;
  readonly state: OrderState;
  readonly previous: OrderState | null;
}

type Answered<Entry> = { readonly entry: Entry; readonly answer: Answer };

/** All that one batch will do. */
export interface BatchPlan<Entry> {
  /** To be given at once: nothing has to be stored for them. */
  readonly answers: readonly Answered<Entry>[];
  /** To be given after the transaction, which stores `idempotency` and `forgotten`. */
  readonly answersAfterCommit: readonly Answered<Entry>[];
  readonly events: readonly PlannedEvent<Entry>[];
  readonly idempotency: readonly IdempotencyRecord[];
  readonly forgotten: CartBatch['forgotten'];
  /** Requests whose planning failed by a fault of this service. The others of the batch go on. */
  readonly faults: readonly { readonly entry: Entry; readonly error: unknown }[];
}

type Asked = { readonly request: CommandRequest };
type Plan<Entry> = { -readonly [K in keyof BatchPlan<Entry>]: BatchPlan<Entry>[K][number][] };

const emptyPlan = <Entry>(): Plan<Entry> => ({
  answers: [],
  answersAfterCommit: [],
  events: [],
  idempotency: [],
  forgotten: [],
  faults: [],
});

/**
 * Decides a batch of requests. No two may be about one order or under one idempotency key.
 * @param firstSeq the outbox number of the first event; the next events get the next numbers
 */
export const planBatch = <Entry extends Asked>(
  batch: readonly Entry[],
  loaded: LoadedOrders,
  firstSeq: number,
  circumstances: Circumstances,
): BatchPlan<Entry> => {
  const plan = emptyPlan<Entry>();
  for (const entry of batch) {
    const { request } = entry;
    try {
      if (answeredByRecord(plan, entry, loaded)) continue;
      const previous = loaded.orders.get(request.command.orderId);
      const decision = decide(request.command, previous, isRepetition(request, loaded), circumstances);
      if (decision.kind === 'event') {
        const row = outboxRow(firstSeq + plan.events.length, decision.event, request);
        plan.events.push({ entry, row, state: decision.state, previous: previous ?? null });
      } else addAnswer(plan, entry, decision, loaded);
      addRecord(plan, request, decision, circumstances.now);
    } catch (error) {
      plan.faults.push({ entry, error });
    }
  }
  return plan;
};

/** As `planBatch`, for requests that can get no event now. @returns also those that would need one */
export const planWithoutEvents = <Entry extends Asked>(
  batch: readonly Entry[],
  loaded: LoadedOrders,
  now: number,
): { readonly plan: BatchPlan<Entry>; readonly undone: readonly Entry[] } => {
  const plan = emptyPlan<Entry>();
  const undone: Entry[] = [];
  for (const entry of batch) {
    const { request } = entry;
    if (answeredByRecord(plan, entry, loaded)) continue;
    const { command } = request;
    const decision = decideWithoutEvent(command, loaded.orders.get(command.orderId), isRepetition(request, loaded));
    if (decision === null) undone.push(entry);
    else {
      addAnswer(plan, entry, decision, loaded);
      addRecord(plan, request, decision, now);
    }
  }
  return { plan, undone };
};

/** Updates under an idempotency key are repeated under that key, and not recognised by what they ask for. */
const fingerprintFor = ({ command, idempotencyKey }: CommandRequest): string | null =>
  command.kind === 'create' || idempotencyKey === null ? command.fingerprint : null;

const isRepetition = (request: CommandRequest, { unanswered }: LoadedOrders): boolean => {
  const fingerprint = fingerprintFor(request);
  return fingerprint !== null && unanswered.get(request.command.orderId)?.includes(fingerprint) === true;
};

const answeredByRecord = <Entry extends Asked>(plan: Plan<Entry>, entry: Entry, loaded: LoadedOrders): boolean => {
  const { command, idempotencyKey } = entry.request;
  const record = idempotencyKey === null ? undefined : loaded.idempotency.get(idempotencyKey);
  if (record === undefined) return false;
  plan.answers.push({ entry, answer: answerFromRecord(record, command.fingerprint) });
  return true;
};

const addAnswer = <Entry extends Asked>(
  plan: Plan<Entry>,
  entry: Entry,
  decision: DecisionWithoutEvent,
  loaded: LoadedOrders,
): void => {
  const { request } = entry;
  const { orderId, fingerprint, kind } = request.command;
  // A create is remembered for ever: after its success, the same update is a new request, the same create is none.
  const isAnsweredNow = kind === 'update' && isRepetition(request, loaded);
  if (isAnsweredNow) plan.forgotten.push({ orderId, fingerprint });
  const answer: Answer = decision.kind === 'refused' ? decision : DONE;
  (isAnsweredNow || request.idempotencyKey !== null ? plan.answersAfterCommit : plan.answers).push({ entry, answer });
};

const addRecord = (
  plan: Plan<unknown>,
  { command: { fingerprint, orderId }, idempotencyKey: key }: CommandRequest,
  decision: Decision,
  createdAt: number,
): void => {
  if (key === null) return;
  const refusal = decision.kind === 'refused' ? decision.refusal : null;
  plan.idempotency.push({ key, fingerprint, orderId, refusal, createdAt });
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

const outboxRow = (seq: number, event: OrderEvent, request: CommandRequest): OutboxRow => ({
  seq,
  eventId: event.eventId,
  orderId: event.orderId,
  message: encodeEvent(event, request.traceparent),
  fingerprint: fingerprintFor(request),
  idempotencyKey: request.idempotencyKey,
});
