/**
 * The broker seam: all that the services ask of a message broker. Two implementations stand behind it
 * (`kafka_broker.ts`, `embedded_broker.ts`); `tests/contracts/broker_contract.ts` decides whether a third may.
 *
 * Offsets are numbers: Kafka's are 64-bit, but 2^53 messages in one partition are out of reach.
 */

/** A topic as the broker has it now. `id` changes when a topic is deleted and made again, so positions are worth nothing without it. */
export interface Topic {
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
}

export interface Message {
  /** Decides the partition, by `partitionOf`. */
  readonly key: string;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What became of one published message. Only `acknowledged` may be answered as a success, only `not_written` may be taken back. */
export type Fate =
  | { readonly kind: 'acknowledged'; readonly partition: number; readonly offset: number }
  /** Certainly not in the log, now or later: no connection could be made, or the broker refused it. */
  | { readonly kind: 'not_written'; readonly detail: string }
  /** Sent, but no answer came: it may be in the log, or get there still. */
  | { readonly kind: 'unknown'; readonly detail: string };

/** A message as read back; the bytes are as some producer wrote them, so nothing about them is certain. */
export interface LogRecord {
  readonly offset: number;
  /** Milliseconds since 1970, as the broker or the producer set it. */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly (readonly [name: string, value: Buffer | null])[];
}

/** Consecutive records of one partition, in offset order. */
export interface Batch {
  readonly topic: Topic;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** The offset to go on from; beyond the last record where the log has gaps. */
  readonly next: number;
  /** One past the last offset in the partition when the batch was read: `end - next` is the lag. */
  readonly end: number;
}

/** Partition to offset. */
export type Positions = ReadonlyMap<number, number>;

export interface ConsumeOptions {
  readonly topic: string;
  readonly group: string;
  /** Names this member over restarts, so that a restarted process takes up its partitions at once. Unique in the group. */
  readonly memberId: string;
  /** Where to start in each of the partitions that were just assigned; one left out starts at the earliest record. */
  startAt(topic: Topic, partitions: readonly number[]): Promise<Positions>;
  /**
   * Called with one batch at a time for each partition. Once it resolves, and never before, the batch's `next` is
   * committed to the group (within a second, and on stopping). When it rejects, consuming ends with that error.
   */
  onBatch(batch: Batch): Promise<void>;
  /** The partitions owned after each assignment. */
  onAssigned?(partitions: readonly number[]): void;
  /** The log no longer holds `wanted` (retention passed it, or the log was cut): consuming goes on at `resumedAt`. */
  onPositionLost?(lost: { partition: number; wanted: number; resumedAt: number }): void;
  /** Stops consuming: the batch in hand is finished and committed, the group is left. */
  readonly signal: AbortSignal;
}

export interface Broker {
  /** Creates the topic where it is missing, with `retention.ms=-1`. @throws BrokerError */
  ensureTopic(name: string, partitions: number): Promise<Topic>;

  /** The topic, or null where it does not exist. @throws BrokerError `UNAVAILABLE` */
  describeTopic(name: string): Promise<Topic | null>;

  /**
   * The broker that now leads a partition, as far as known: messages whose partitions share a leader can share a
   * `publish`. Needs an earlier `ensureTopic` or `describeTopic`.
   */
  leaderOf(topic: string, partition: number): number;

  /**
   * Publishes messages in the order given, acks=all and idempotent, and tells the fate of each, by index. Never
   * rejects, and settles within `timeoutMs` whatever the broker does. One call at a time for each leader: a second
   * one waits for the first.
   */
  publish(topic: Topic, messages: readonly Message[], timeoutMs: number): Promise<Fate[]>;

  /** Resolves once the leader answers and what is known of leaders is fresh. @throws BrokerError within `timeoutMs` */
  probe(topic: string, leader: number, timeoutMs: number): Promise<void>;

  /** Reads, outside any group, from `from` (earliest where left out) to the end that the log had at the call. @throws BrokerError */
  read(topic: string, from: Positions): AsyncIterable<Batch>;

  /**
   * Consumes as a member of a group until the signal aborts (then it resolves) or the broker is lost (then it
   * rejects). It does not reconnect: calling again does, and that is the caller's policy.
   * @throws BrokerError `UNAVAILABLE`, `TOPIC_MISSING`, `FENCED`
   */
  consume(options: ConsumeOptions): Promise<void>;

  /** What the group has committed. @throws BrokerError */
  committed(group: string, topic: string): Promise<Positions>;

  /** The first offset and one past the last, for each partition. @throws BrokerError */
  bounds(topic: string): Promise<ReadonlyMap<number, { readonly start: number; readonly end: number }>>;

  /** Ends what is under way; once it resolves, nothing of the client is left. */
  close(): Promise<void>;
}

export type BrokerErrorCode =
  /** No broker could be reached, or the connection was lost. */
  | 'UNAVAILABLE'
  | 'TOPIC_MISSING'
  /** Another process joined the group under the same member id. */
  | 'FENCED';

export class BrokerError extends Error {
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BrokerError';
    this.code = code;
  }
}
