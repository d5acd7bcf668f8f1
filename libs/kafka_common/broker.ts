/**
 * The broker seam: all that the services ask of a message broker. It has two implementations, Apache Kafka (`kafka/`)
 * and the embedded broker (`embedded/`). Another one must pass `tests/contracts/broker_contract.ts`.
 *
 * Offsets are numbers: Kafka's are 64-bit, but 2^53 messages in one partition are out of reach.
 */

/** A topic as the broker has it now. `id` changes when a topic is deleted and created again. A position belongs to one `id`. */
export interface Topic {
  readonly name: string;
  readonly id: string;
  readonly partitions: number;
}

export interface Message {
  /** Decides the partition, by `partitionOf`. */
  readonly key: string;
  readonly value: string;
  readonly headers: Headers;
}

/** An ordered list, as in the log: names may be repeated, values may be null or any bytes. A record stands for its entries. */
export type Headers = HeaderList | Readonly<Record<string, string>>;

/** The name of a header is UTF-8 in the log. Bytes that are not are kept by `header_names.ts`. */
export type HeaderList = readonly (readonly [name: string, value: Buffer | null])[];

/** A message as the services write their own. */
export interface TextMessage extends Message {
  readonly headers: Readonly<Record<string, string>>;
}

/** The fate of one published message. Only `acknowledged` may be answered as a success. Only `not_written` may be taken back. */
export type Fate =
  | { readonly kind: 'acknowledged'; readonly partition: number; readonly offset: number }
  /** Certainly not in the log, now or later: there was no connection, or the broker refused the message. */
  | {
      readonly kind: 'not_written';
      readonly detail: string;
      /**
       * `message`: this message was refused for what it is, for example its size. That says nothing of the broker, and
       * sending it again is of no use. `topic`: the topic is not the one given any more; describe it again. Left out if
       * the fault is the broker's or the network's.
       */
      readonly fault?: 'message' | 'topic';
    }
  /** Sent, but no answer came. The message may be in the log, or may still get there. */
  | { readonly kind: 'unknown'; readonly detail: string };

/** A message as read back. Any producer may have written the bytes, so nothing about them is certain. */
export interface LogRecord {
  readonly offset: number;
  /**
   * Milliseconds since 1970, set by the broker or by the producer. A producer's number is bounded to what a `Date` can
   * hold, so from -8.64e15 to 8.64e15.
   */
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: HeaderList;
  /**
   * Why this is not the whole record: it is too large, or its bytes cannot be decompressed. `key` and `value` then hold
   * at most their first 64 KiB.
   */
  readonly unreadable?: string;
}

/** Consecutive records of one partition, in offset order. A batch without records can still carry a new `next` or `end`. */
export interface Batch {
  readonly topic: Topic;
  readonly partition: number;
  readonly records: readonly LogRecord[];
  /** The offset to go on from. If the log has gaps, it can be more than one past the last record. */
  readonly next: number;
  /**
   * One past the last offset in the partition when the batch was read: `end - next` is the lag. An open transaction can
   * hold `next` below it.
   */
  readonly end: number;
  /** True if an open transaction of another producer holds back the record at `next`. */
  readonly isHeldUp?: boolean;
}

/** Partition to offset. */
export type Positions = ReadonlyMap<number, number>;

export interface ConsumeOptions {
  readonly topic: string;
  readonly group: string;
  /** Names this member across restarts, so that a restarted process gets its partitions back at once. Unique in the group. */
  readonly memberId: string;
  /** Returns where to start in each of the partitions that were just assigned. One left out starts at the earliest record. */
  startAt(topic: Topic, partitions: readonly number[]): Promise<Positions>;
  /**
   * Called with one batch at a time for each partition. The batch's `next` is committed to the group only after it has
   * resolved: within a second, and on stopping. If it rejects, consuming ends with that error.
   */
  onBatch(batch: Batch): Promise<void>;
  /** Called after each assignment, with all partitions owned. */
  onAssigned?(partitions: readonly number[]): void;
  /** The log no longer holds `wanted`: retention has passed it, or the log was cut. Consuming goes on at `resumedAt`. */
  onPositionLost?(lost: { partition: number; wanted: number; resumedAt: number }): void;
  /** Stops consuming: the batches in hand are finished and committed, then the member leaves the group. */
  readonly signal: AbortSignal;
}

export interface Broker {
  /** Creates the topic if it is missing, with `retention.ms=-1`. @throws BrokerError */
  ensureTopic(name: string, partitions: number): Promise<Topic>;

  /** The topic, or null if it does not exist. @throws BrokerError `UNAVAILABLE` */
  describeTopic(name: string): Promise<Topic | null>;

  /**
   * The id of the broker that leads a partition, as last described. Messages whose partitions share a leader can share
   * a `publish`. Needs an earlier `ensureTopic` or `describeTopic`.
   */
  leaderOf(topic: string, partition: number): number;

  /**
   * Publishes messages in the order given, acks=all and idempotent, and returns the fate of each, by index. Never
   * rejects, and settles within `timeoutMs` whatever the broker does. One call at a time for each leader: a second
   * call waits for the first. Nothing is sent if the topic is known to have another id or number of partitions.
   */
  publish(topic: Topic, messages: readonly Message[], timeoutMs: number): Promise<Fate[]>;

  /** Resolves once the leader answers, this client may write, and the known leaders are up to date. @throws BrokerError within `timeoutMs` */
  probe(topic: string, leader: number, timeoutMs: number): Promise<void>;

  /**
   * Reads outside any group, from `from` to the end that the log had at the call. A partition left out of `from` is read
   * from the earliest record. At an open transaction it waits, after all that can be read, and yields batches without
   * records meanwhile.
   * @param stallMs how long it waits without progress (10 s)
   * @throws BrokerError `TRANSACTION_OPEN`
   */
  read(topic: string, from: Positions, stallMs?: number): AsyncIterable<Batch>;

  /**
   * Consumes as a member of a group. Resolves once the signal has aborted; rejects if the broker is lost. It does not
   * reconnect: the caller decides when to call again. It looks at the topic's id and partitions every few seconds, and
   * ends if they change.
   * @throws BrokerError `UNAVAILABLE`, `TOPIC_MISSING`, `TOPIC_CHANGED`, `FENCED`
   */
  consume(options: ConsumeOptions): Promise<void>;

  /** The offsets that the group has committed. @throws BrokerError */
  committed(group: string, topic: string): Promise<Positions>;

  /** The partitions that a live member of the group owns. None of them while the group is rebalanced. @throws BrokerError */
  assignedIn(group: string, topic: string): Promise<ReadonlySet<number>>;

  /** The first offset and one past the last, for each partition. Records of open transactions count. @throws BrokerError */
  bounds(topic: string): Promise<ReadonlyMap<number, { readonly start: number; readonly end: number }>>;

  /** What about the topic endangers its records, for people: one sentence for each setting. @throws BrokerError */
  topicWarnings(topic: string): Promise<readonly string[]>;

  /** Ends what is under way. Once it resolves, no socket and no timer of the client is left. */
  close(): Promise<void>;
}

export type BrokerErrorCode =
  /** No broker could be reached, or the connection was lost. */
  | 'UNAVAILABLE'
  /** The broker refuses this client: a right is missing, or its user or password is wrong. */
  | 'DENIED'
  | 'TOPIC_MISSING'
  /** The topic was created again, or has another number of partitions. Consuming can begin again at once. */
  | 'TOPIC_CHANGED'
  /** Another process joined the group under the same member id. */
  | 'FENCED'
  /** An open transaction of another producer holds up reading to the end. */
  | 'TRANSACTION_OPEN';

export class BrokerError extends Error {
  readonly code: BrokerErrorCode;

  constructor(code: BrokerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BrokerError';
    this.code = code;
  }
}
