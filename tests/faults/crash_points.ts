import type { SourcePatch } from '#tests/patched/patch_source.ts';

/**
 * Named places in the services' source at which a process can be made to kill itself: one for every state that a crash
 * can leave between two effects. The product knows nothing of them, the source is patched when the process loads it.
 */
export interface CrashPoint {
  readonly name: string;
  /** For both brokers; a process runs through the code of its own only. */
  readonly patches: readonly SourcePatch[];
  /** A process is killed at one of its first passes, up to this one: as many as it is sure to make soon. */
  readonly passes: number;
}

const PASS = 'globalThis.crashPoint.pass();';

const point = (name: string, passes: number, ...patches: Omit<SourcePatch, 'name'>[]): CrashPoint => ({
  name,
  passes,
  patches: patches.map((patch) => ({ name, ...patch })),
});

const after = (file: string, find: string, condition = 'true'): Omit<SourcePatch, 'name'> => ({
  file,
  find,
  replace: `${find} if (${condition}) ${PASS}`,
});

const before = (file: string, find: string, condition = 'true'): Omit<SourcePatch, 'name'> => ({
  file,
  find,
  replace: `if (${condition}) ${PASS} ${find}`,
});

const BATCH_DECIDER = 'services/cart_service/publishing/batches/batch_decider.ts';
const FATE_ANSWERS = 'services/cart_service/publishing/batches/fate_answers.ts';
const RUNNER = 'services/order_service/consumer_runner.ts';
const APPLIER = 'services/order_service/consuming/batch_applier.ts';

/** A service that is under load comes by so often within a second, one batch after the other. */
const BATCHES = 20;

/** The points of the Cart Service, in the order in which a request meets them; the last two only at a start. */
export const WRITE_PATH = {
  /** The requests are in a batch, and nothing of it is stored. */
  batchTaken: point('batch_taken', BATCHES, before(BATCH_DECIDER, 'await transactions.commitUnanswered();')),
  /** The whole batch is in the store's transaction, which is not committed. */
  storeBeforeCommit: point('store_before_commit', BATCHES, {
    file: 'services/cart_service/store/sqlite/sqlite_cart_store.ts',
    find: 'commitTransaction(db, () => apply(batch))',
    replace: `commitTransaction(db, () => { const done = apply(batch); if (batch.outbox.length > 0) ${PASS} return done; })`,
  }),
  /** Orders and outbox are stored, and nothing is sent. */
  stored: point(
    'stored',
    BATCHES,
    after(
      BATCH_DECIDER,
      'const isLost = ({ request }: BatchEntry): boolean => lost.has(request.command.orderId);',
      'events.length > 0',
    ),
  ),
  /**
   * The broker has the events or will get them, and this process never learns it. Kafka: the kernel has the bytes.
   * Embedded: the log's transaction is not committed.
   */
  sent: point(
    'sent',
    BATCHES,
    after(
      'node_modules/@platformatic/kafka/dist/network/connection.js',
      'let canWrite = this.#socket.write(request.payload);',
      'request.apiKey === 0',
    ),
    {
      file: 'libs/kafka_common/embedded/log.ts',
      find: 'messages.map((message) => appendOne(topic, message, timestamp))',
      replace: `messages.map((message) => {
        const fate = appendOne(topic, message, timestamp);
        if (message === messages.at(-1)) ${PASS}
        return fate;
      })`,
    },
  ),
  /** The events are acknowledged, and no client has an answer. */
  acknowledged: point(
    'acknowledged',
    BATCHES,
    after(
      'services/cart_service/publishing/batches/event_sender.ts',
      'const fates = await broker.publish(topic, messages, publishTimeoutMs);',
      "requests !== null && fates.some(({ kind }) => kind === 'acknowledged')",
    ),
  ),
  /** Half of a batch's clients have their answer on the wire, the others have none. */
  halfAnswered: point('half_answered', 3, {
    file: FATE_ANSWERS,
    find: `settled.add(row);
        room.answer(waiting, DONE);`,
    replace: `settled.add(row);
        if (!globalThis.crashPoint.withholds(index, events.length)) room.answer(waiting, DONE);`,
  }),
  /** The broker has refused the events, which are still in the store. */
  refused: point(
    'refused',
    1,
    before(FATE_ANSWERS, '({ takenOver } = await transactions.commit({ takenBack: events }));'),
  ),
  /** The refused events are taken back, and no client has an answer. */
  takenBack: point(
    'taken_back',
    1,
    after(FATE_ANSWERS, '({ takenOver } = await transactions.commit({ takenBack: events }));'),
  ),
  /** The events that the last process left are published, and still in the outbox. */
  relayed: point(
    'relayed',
    1,
    after('services/cart_service/publishing/batches/relay.ts', 'const fates = await sender.send(topic, rows, null);'),
  ),
  /** The store is level with one partition of the log, not with the others. */
  catchingUp: point('catching_up', 1, after('services/cart_service/log/catch_up.ts', 'events += found.length;')),
} as const satisfies Record<string, CrashPoint>;

/** Points of the Order Service, in the order in which a batch meets them. The last one is at a start. */
export const READ_PATH = {
  /** The batch is in memory, and nothing of it is applied. */
  fetched: point('fetched', BATCHES, after(RUNNER, 'const { partition, next } = batch;')),
  /** The whole batch is in a transaction of the view, which is not committed. */
  viewBeforeCommit: point(
    'view_before_commit',
    BATCHES,
    after(
      'services/order_service/store/sqlite/put_batch.ts',
      'batch.redriven.forEach((redriven) => setRedriven(sql, redriven));',
    ),
  ),
  /** The first part of a batch is in the view, and the position is inside the batch. */
  betweenChunks: point(
    'between_chunks',
    3,
    // Smaller parts, so that the backlog of one second is a batch of several. With the real size that takes a minute.
    { file: APPLIER, find: 'const CHUNK_SIZE = 500;', replace: 'const CHUNK_SIZE = 5;' },
    after(APPLIER, 'await othersTurn();', 'parts.some(({ isLastOfBatch }) => !isLastOfBatch)'),
  ),
  /** The batch is in the view, and the group's offset is behind. */
  applied: point('applied', BATCHES, before(RUNNER, 'positions.applied(partition, next);')),
  /** The broker has the committed offsets, and this process has not noted that. */
  offsetsCommitted: point(
    'offsets_committed',
    3,
    before(
      'libs/kafka_common/kafka/consuming/offset_commits.ts',
      'for (const { position, next } of moved) position.committed = next;',
    ),
    before('libs/kafka_common/embedded/group_consumer.ts', 'uncommitted.clear();', 'uncommitted.size > 0'),
  ),
  /** The process is a member of the group. It has its partitions, and has fetched nothing. */
  joining: point('joining', 1, before('services/order_service/consuming/start_positions.ts', 'return stored;')),
} as const satisfies Record<string, CrashPoint>;

export const CRASH_POINTS: readonly CrashPoint[] = [...Object.values(WRITE_PATH), ...Object.values(READ_PATH)];

/** The settings that make a service kill itself at its pass of a point, counted from 1 since it was started. */
export const crashAt = ({ name }: CrashPoint, pass: number): Record<string, string> => ({
  NODE_OPTIONS: `--import=${new URL('crash_point_process.ts', import.meta.url).href}`,
  CRASH_POINT: name,
  CRASH_AT_PASS: String(pass),
});

/** The line that a process writes before it kills itself: that it is gone does not tell who ended it, and where. */
export const lastWords = ({ name }: CrashPoint, pid: number | undefined): string =>
  `process ${pid} kills itself at the crash point ${name}`;
