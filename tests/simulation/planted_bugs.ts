import type { Invariant } from '#tests/checker/evidence.ts';
import type { SourcePatch } from '#tests/patched/patch_source.ts';
import type { Plan } from './plan.ts';

/** A bug put into the product, or into what it stands on here, that the simulation must find. */
export interface PlantedBug {
  readonly name: string;
  /** The rule that is to catch it, by the name of its violation. */
  readonly caughtBy: { readonly invariant: Invariant; readonly name: string };
  /** What happens in all of its runs, if plans by chance seldom catch the bug. Each seed gives it other details. */
  readonly scene?: Omit<Plan, 'seed'>;
  /** The first seed to play: it is one that catches the bug, if few do. Left out: 1. */
  readonly from?: number;
  readonly patches: readonly Omit<SourcePatch, 'name'>[];
}

const BATCH_WRITER = 'services/cart_service/publishing/batches/batch_writer.ts';
const FATE_ANSWERS = 'services/cart_service/publishing/batches/fate_answers.ts';
const TOPIC_QUEUES = 'services/cart_service/publishing/waiting/topic_queues.ts';
const LANE_WORK = 'services/cart_service/publishing/batches/lane_work.ts';
const LANES = 'services/cart_service/publishing/lanes.ts';
const SIMULATED_STORE = 'tests/simulation/simulated_cart_store.ts';
const TRANSACTION = 'services/order_service/consuming/apply_transaction.ts';
const COMMITTED = 'libs/kafka_common/kafka/wire/committed_batches.ts';
const FOLD = 'libs/kafka_common/order_fold.ts';

const APPLY = 'await db.applyBatch({ positions, ...changes, history, deadLetters, redriven, basis });';
const NO_EFFECT = 'views: [], orders: [], unversionedEventIds: [], history: [], redriven: [], basis';
/** Without the check of what is written. */
const UNBOUNDED = `JSON.stringify({ ...toWire({ ...event, version: 1 }), version: event.version })`;
const FATE_OF_ROW = "if (fate.kind === 'not_written' && !waiting.answered) notWritten.push(event);";

/** An event is written and not acknowledged. Others write before and after a crash, and the log is read between. */
const FOLLOWED_WHILE_OPEN: PlantedBug['scene'] = {
  partitions: 1,
  nodes: 1,
  orderServices: 1,
  queueLimit: 1_000,
  operations: [
    { kind: 'create', at: 40, order: 0, body: 'given', key: null, repeats: 3 },
    { kind: 'other_versions', at: 1_000, order: 0, statuses: ['confirmed'] },
    { kind: 'other_versions', at: 4_200, order: 0, statuses: ['shipped'] },
  ],
  faults: [
    { kind: 'publish', at: 0, ms: 200, node: 0, treatment: 'ack_lost', percent: 100 },
    { kind: 'publish', at: 200, ms: 6_000, node: 0, treatment: 'refused', percent: 100 },
    { kind: 'crash', at: 4_000, ms: 1_000, service: 'cart', point: null, nth: 0 },
  ],
};

export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'commit offsets before apply',
    caughtBy: { invariant: 'I3', name: 'the group was told of an offset that the view had not reached' },
    patches: [
      {
        file: 'services/order_service/consumer_runner.ts',
        find: 'await applier.apply(fresh, positions.stored(partition));',
        replace: 'applier.apply(fresh, positions.stored(partition)).catch(() => {});',
      },
    ],
  },
  {
    name: 'answer 200 before the ack',
    caughtBy: { invariant: 'I7', name: 'a 200 was answered before the log took its event' },
    patches: [
      {
        file: BATCH_WRITER,
        find: 'const requests = events.map(({ entry }) => entry.request);',
        replace: `const requests = events.map(({ entry }) => entry.request);
          for (const { entry } of events) room.answer(entry.waiting, { kind: 'done' });`,
      },
    ],
  },
  {
    name: 'outbox row dropped on time-out',
    caughtBy: { invariant: 'I4', name: 'the Cart Service and the log do not agree' },
    patches: [
      {
        file: FATE_ANSWERS,
        find: FATE_OF_ROW,
        replace: `if (fate.kind === 'unknown') {
          settled.add(row);
          settlements.acknowledged(row, { partition: 0, offset: -1 }, topic, true);
        }
        ${FATE_OF_ROW}`,
      },
    ],
  },
  {
    name: 'rollback of an unknown',
    caughtBy: { invariant: 'I5', name: 'a create answered not_created has appeared' },
    from: 69,
    patches: [{ file: FATE_ANSWERS, find: FATE_OF_ROW, replace: 'if (!waiting.answered) notWritten.push(event);' }],
  },
  {
    name: 'dedupe off',
    caughtBy: { invariant: 'I3', name: 'the view of an order is not the fold of the log' },
    patches: [
      {
        file: FOLD,
        find: "if (isDuplicate(order, event, seen)) return { outcome: 'duplicate', order: null };",
        replace: '',
      },
    ],
  },
  {
    name: 'a second creation replaces the order',
    caughtBy: { invariant: 'I3', name: 'the view of an order is not the fold of the log' },
    patches: [
      {
        file: FOLD,
        find: 'order?.isPending === false',
        replace: 'order?.isPending === false && (event.version ?? 0) <= order.version',
      },
    ],
  },
  {
    name: 'pending status lost at restart',
    caughtBy: { invariant: 'I3', name: 'the view of an order is not the fold of the log' },
    patches: [
      {
        file: 'tests/simulation/services.ts',
        find: 'const db = createSimulatedConsumerDb(viewDisk, line);',
        replace: `viewDisk.restore({ ...viewDisk.state, pending: new Map() });
          const db = createSimulatedConsumerDb(viewDisk, line);`,
      },
    ],
  },
  {
    name: 'relay after new work',
    caughtBy: { invariant: 'I5', name: 'a create repeated after unknown was answered 409' },
    from: 140,
    patches: [
      // The relay runs only now and then, and only while no request waits.
      {
        file: LANES,
        find: 'if (inBatch.has(queue) || queue.isEmpty) continue;',
        replace: `const isTime = performance.now() % 1_000 < 300;
          if (queue.unsettled.length > 0 && !isTime) setTimeout(schedule, 100);
          if (inBatch.has(queue) || (!queue.hasRequests && (queue.isEmpty || !isTime))) continue;`,
      },
      {
        file: LANES,
        find: 'const left = share.filter(({ unsettled }) => unsettled.length > 0);',
        replace: `const isIdle = share.every(({ hasRequests }) => !hasRequests);
          const left = isIdle ? share.filter(({ unsettled }) => unsettled.length > 0) : [];`,
      },
    ],
  },
  {
    name: 'two batches in flight',
    caughtBy: { invariant: 'I2', name: 'two events have the same version' },
    from: 278,
    patches: [
      { file: LANES, find: 'inBatch.has(queue) || ', replace: '' },
      { file: LANES, find: 'lanes.has(leader) || ', replace: '' },
    ],
  },
  {
    name: 'dead letter outside the transaction',
    caughtBy: { invariant: 'I3', name: 'the dead letters are not the unreadable messages, each once' },
    from: 59,
    patches: [
      {
        file: TRANSACTION,
        find: APPLY,
        replace: `const still = positions.map((step) => ({ ...step, next: step.from ?? 0 }));
          await db.applyBatch({ positions: still, ${NO_EFFECT}, deadLetters });
          const further = positions.map((step) => ({ ...step, from: step.from ?? 0 }));
          await db.applyBatch({ positions: further, ...changes, history, deadLetters: [], redriven, basis: null });`,
      },
    ],
  },
  {
    name: 'position not in the transaction',
    caughtBy: { invariant: 'I3', name: 'an order of the log is not in the view' },
    from: 71,
    patches: [
      {
        file: TRANSACTION,
        find: APPLY,
        replace: `await db.applyBatch({ positions, ${NO_EFFECT}, deadLetters: [] });
          const there = positions.map((step) => ({ ...step, from: step.next }));
          await db.applyBatch({ positions: there, ...changes, history, deadLetters, redriven, basis: null });`,
      },
    ],
  },
  {
    name: 'version compared wrongly',
    caughtBy: { invariant: 'I3', name: 'the view of an order is not the fold of the log' },
    patches: [
      {
        file: FOLD,
        find: 'version <= (order?.version ?? 0)',
        replace: 'version + 1 < (order?.version ?? 0)',
      },
    ],
  },
  {
    name: 'deadline not kept',
    caughtBy: { invariant: 'I7', name: 'a request was not answered in time' },
    from: 112,
    patches: [
      {
        file: 'services/cart_service/publishing/waiting/waiting_room.ts',
        find: 'setTimeout(expire, Math.max(1, next - performance.now()))',
        replace: 'setTimeout(expire, 2 * Math.max(1, next - performance.now()))',
      },
    ],
  },
  {
    name: 'zombies not held off the view',
    caughtBy: { invariant: 'I3', name: 'the dead letters are not the unreadable messages, each once' },
    from: 100,
    patches: [
      {
        file: 'tests/simulation/simulated_consumer_db.ts',
        find: 'if (position !== from) {',
        replace: 'if (false) {',
      },
    ],
  },
  {
    name: 'no catching up with the log',
    caughtBy: { invariant: 'I2', name: 'two events have the same version' },
    patches: [
      {
        file: 'services/cart_service/log/catch_up.ts',
        find: 'const found = eventsIn(batch);',
        replace: 'const found = eventsIn(batch).slice(batch.records.length);',
      },
    ],
  },
  {
    name: 'no following of others',
    caughtBy: { invariant: 'I4', name: 'cart and view did not agree in time after the heal' },
    patches: [
      {
        file: 'services/cart_service/log/follow_log.ts',
        find: 'if (positions.isBehind(ends)) await readOrHear(log);',
        replace: '',
      },
    ],
  },
  {
    name: 'refusal without asking the store',
    caughtBy: { invariant: 'I5', name: 'a request that had taken effect was answered that nothing was done' },
    patches: [
      {
        file: 'services/cart_service/publishing/refusals.ts',
        find: 'await askedStore.answer(free, keys);',
        replace: 'await Promise.resolve().then(() => askedStore.answerUnknown(free));',
      },
      {
        file: 'services/cart_service/publishing/asked_store.ts',
        find: "if (isOpen(each)) fail(each, 'unknown');",
        replace: "if (isOpen(each)) fail(each, isUncertain(each) ? 'unknown' : 'nothing done');",
      },
    ],
  },
  {
    name: 'taking back without compare',
    caughtBy: { invariant: 'I4', name: 'the Cart Service and the log do not agree' },
    from: 129,
    patches: [
      {
        file: SIMULATED_STORE,
        find: 'if (now?.version === version && now.status === status && (logged.get(orderId) ?? 0) < version) {',
        replace: 'if (now !== undefined) {',
      },
    ],
  },
  {
    name: 'update memory lost',
    caughtBy: { invariant: 'I5', name: 'an update repeated after unknown was published twice' },
    from: 336,
    patches: [
      {
        file: 'services/cart_service/store/cart_store.ts',
        find: '  fingerprint === null\n',
        replace: "  fingerprint === null || message.headers['ce_type'] !== 'ORDER_CREATED'\n",
      },
    ],
  },
  {
    name: 'overtaken row keeps its idempotency record',
    caughtBy: { invariant: 'I1', name: 'a status answered 200 is not in the log' },
    patches: [
      {
        file: SIMULATED_STORE,
        find: `unanswered.delete(nameOf(row));
    if (row.idempotencyKey !== null) idempotency.delete(row.idempotencyKey);`,
        replace: 'unanswered.delete(nameOf(row));',
      },
    ],
  },
  {
    name: 'following passes an open event',
    caughtBy: { invariant: 'I5', name: 'a create repeated after unknown was answered 409' },
    scene: FOLLOWED_WHILE_OPEN,
    patches: [
      {
        file: 'services/cart_service/log/follow_log.ts',
        find: 'const seen = open.hasUnsettled(partition) ? [] : [{ partition, topicId: topic.id, next }];',
        replace: 'const seen = [{ partition, topicId: topic.id, next }];',
      },
    ],
  },
  {
    name: 'no filter of aborted records',
    caughtBy: { invariant: 'I9', name: 'an aborted record had an effect' },
    patches: [
      {
        file: COMMITTED,
        find: '} else if (!batch.isTransactional || !aborted.has(batch.producerId)) {',
        replace: '} else {',
      },
    ],
  },
  {
    name: 'aborted records hidden only up to a marker in the fetch',
    caughtBy: { invariant: 'I9', name: 'an aborted record had an effect' },
    patches: [
      {
        file: 'tests/simulation/partition_log.ts',
        find: 'last >= from && first < to',
        replace: 'last >= from && last < to',
      },
    ],
  },
  {
    name: 'a producer is aborted only once',
    caughtBy: { invariant: 'I9', name: 'an aborted record had an effect' },
    from: 612,
    patches: [
      {
        file: COMMITTED,
        find: 'const waiting = abortedTransactions',
        replace: 'const waiting = [...new Map(abortedTransactions.map((each) => [each.producerId, each])).values()]',
      },
    ],
  },
  {
    name: 'an aborted producer stays aborted',
    caughtBy: {
      invariant: 'I9',
      name: 'the history and the dead letters are not the committed records, each once',
    },
    patches: [
      {
        file: COMMITTED,
        find: 'if (controlTypeOf(batch) === ABORT) aborted.delete(batch.producerId);',
        replace: '',
      },
    ],
  },
  {
    name: 'the stable offset taken for the end',
    caughtBy: { invariant: 'I2', name: 'two events have the same version' },
    from: 1251,
    patches: [
      {
        file: 'tests/simulation/simulated_broker.ts',
        find: 'answer(cluster.log(name)[partition]?.length ?? 0)',
        replace: `{
          const records = cluster.log(name)[partition] ?? [];
          const held = records.findIndex(({ transaction }) => transaction?.state === 'open');
          answer(held < 0 ? records.length : held);
        }`,
      },
    ],
  },
  {
    name: 'no bound of versions',
    caughtBy: { invariant: 'I9', name: 'an event of the Cart Service cannot be read' },
    patches: [
      {
        file: 'services/cart_service/order_commands.ts',
        find: 'if (state.version < MAX_VERSION) return null;',
        replace: 'if (state.version < Infinity) return null;',
      },
      { file: 'libs/kafka_common/serdes_json.ts', find: 'JSON.stringify(toWire(event))', replace: UNBOUNDED },
    ],
  },
  {
    name: 'no probe of idle leaders',
    caughtBy: { invariant: 'I9', name: 'the Cart Service stayed ready without a leader' },
    from: 613,
    patches: [
      {
        file: 'services/cart_service/publishing/leaders.ts',
        find: 'void probeIdleLeaders({ leaders, lanes, health, probe }, signal);',
        replace: 'void leaders;',
      },
    ],
  },
  {
    name: 'an observer that fails fails the publish',
    caughtBy: { invariant: 'I6', name: 'a service has crashed' },
    patches: [
      {
        file: 'services/cart_service/publishing/batches/event_sender.ts',
        find: "notifyObservers(observers, publish, logger, 'an observer of publishes failed; no answer is changed by that');",
        replace: 'for (const observe of observers) observe(publish);',
      },
    ],
  },
  {
    name: 'an open transaction taken for the end of the log',
    caughtBy: { invariant: 'I1', name: 'an order answered 200 is not known to the Cart Service' },
    from: 169,
    patches: [
      {
        file: 'tests/simulation/simulated_read.ts',
        find: 'if (performance.now() - lastProgress > stallMs)',
        replace: `if (performance.now() >= lastProgress) return;
    if (lastProgress > stallMs)`,
      },
    ],
  },
  {
    name: 'outbox rows lost at a reopening',
    caughtBy: { invariant: 'I4', name: 'the outbox did not become empty' },
    from: 190,
    patches: [
      {
        file: TOPIC_QUEUES,
        find: 'Map.groupBy(left, ',
        replace: 'Map.groupBy(all.length > 0 ? [] : left, ',
      },
    ],
  },
  {
    name: 'the id of the topic is not looked at',
    caughtBy: { invariant: 'I4', name: 'cart and view did not agree in time after the heal' },
    from: 90,
    patches: [
      {
        file: 'services/cart_service/log/catch_up.ts',
        find: 'positions.some((position) => position.topicId !== topic.id)',
        replace: 'false',
      },
    ],
  },
  {
    name: 'catching up is skipped at a reopening',
    caughtBy: { invariant: 'I4', name: 'cart and view did not agree in time after the heal' },
    from: 90,
    patches: [
      {
        file: 'services/cart_service/log/open_log.ts',
        find: 'const left = await catchUp(',
        replace: `const left =
      queues.whyClosed !== null ? await store.outbox() : await catchUp(`,
      },
    ],
  },
  {
    name: 'the queues keep the former number of partitions',
    caughtBy: { invariant: 'I8', name: 'no write was answered 200 in time after the heal' },
    patches: [
      {
        file: TOPIC_QUEUES,
        find: 'all = Array.from({ length: opened.partitions }',
        replace: 'all = Array.from({ length: all.length || opened.partitions }',
      },
    ],
  },
  {
    name: 'a redrive has no end',
    caughtBy: { invariant: 'I9', name: 'a redrive published letters that came after it began' },
    patches: [
      {
        file: 'services/order_service/redrive/redrive.ts',
        find: 'if (letter === undefined || letter.id > until) {',
        replace: 'if (letter === undefined) {',
      },
    ],
  },
  {
    name: 'one request that cannot be planned fails its batch',
    caughtBy: { invariant: 'I6', name: 'a request that could not be planned failed others' },
    patches: [
      {
        file: 'services/cart_service/publishing/batches/plan_batch.ts',
        find: 'plan.faults.push({ entry, error });',
        replace: 'throw error;',
      },
    ],
  },
  {
    name: 'a refused message takes its leader down',
    caughtBy: { invariant: 'I8', name: 'a request was refused though nothing failed' },
    patches: [
      {
        file: LANE_WORK,
        find: "if (fate.kind === 'acknowledged' || isRefusedForGood(fate)) continue;",
        replace: "if (fate.kind === 'acknowledged') continue;",
      },
    ],
  },
  {
    name: 'a refused event stays in the outbox',
    caughtBy: { invariant: 'I4', name: 'the outbox did not become empty' },
    from: 342,
    patches: [
      {
        file: 'services/cart_service/publishing/batches/relay.ts',
        find: '} else if (isRefusedForGood(fate)) refused.push(row);',
        replace: '}',
      },
    ],
  },
  {
    name: 'a decided state overwrites what the log has taught',
    caughtBy: { invariant: 'I4', name: 'the Cart Service and the log do not agree' },
    patches: [
      {
        file: SIMULATED_STORE,
        find: 'if (!isSame(orders.get(next.orderId), previous)) {',
        replace: 'if (next.version < 0) {',
      },
      // The log is often read while a batch is decided.
      {
        file: 'services/cart_service/publishing/batches/batch_decider.ts',
        find: 'const open = batch.entries.filter(',
        replace: `await new Promise((resolve) => setTimeout(resolve, 400));
    const open = batch.entries.filter(`,
      },
    ],
  },
  {
    name: 'a foreign event behind the own one of its version is taken',
    caughtBy: { invariant: 'I4', name: 'the Cart Service and the log do not agree' },
    from: 4068,
    patches: [
      {
        file: 'services/cart_service/log/learn_from_log.ts',
        find: ' && offset <= ahead',
        replace: '',
      },
    ],
  },
];

/** @throws Error where there is none of that name */
export const plantedBug = (name: string): PlantedBug => {
  const bug = PLANTED_BUGS.find((planted) => planted.name === name);
  if (bug) return bug;
  throw new Error(
    `no planted bug is called "${name}"; there are: ${PLANTED_BUGS.map((known) => known.name).join(', ')}`,
  );
};
