import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { StoreError } from '#service_common/store_error.ts';
import type { Fate } from '#kafka_common/broker.ts';
import { createLogPositions } from '#cart_service/log/log_positions.ts';
import { createPartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import { createWaitingRoom } from '#cart_service/publishing/waiting/waiting_room.ts';
import { type Answer, type CommandRequest, failed } from '#cart_service/requests.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';
import { A_TOPIC, unsettledIn } from '#tests/support/cart_parts.ts';
import { create, keyed, update } from '#tests/support/cart_requests.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { createCartDisk, createSimulatedCartStore } from '#tests/simulation/simulated_cart_store.ts';
import { createBatchDecider } from './batch_decider.ts';
import { createBatchTaker } from './batch_taker.ts';
import { createBatchWriter } from './batch_writer.ts';
import { createSettlements } from './settlements.ts';
import { createTransactions } from './transactions.ts';

const ACKNOWLEDGED: Fate = { kind: 'acknowledged', partition: 0, offset: 0 };
const FAILED = failed('StoreUnavailable', 'unknown', 'the store of the Cart Service failed; its log has the cause');

interface Hooks {
  load?: () => void;
  openElsewhere?: readonly string[];
  lost?: readonly string[];
  commit?: () => void;
  now: () => number;
  fates: readonly Fate[];
}

const onDeadline = () => FAILED;

const scene = (t: TestContext) => {
  const disk = createCartDisk();
  const simulated = createSimulatedCartStore(disk);
  const hooks: Hooks = { now: () => 0, fates: [ACKNOWLEDGED] };
  let commits = 0;
  const store: CartStore = {
    ...simulated,
    async load(...args) {
      const loaded = await simulated.load(...args);
      hooks.load?.();
      return hooks.openElsewhere === undefined ? loaded : { ...loaded, openElsewhere: new Set(hooks.openElsewhere) };
    },
    commit(batch) {
      commits += 1;
      return Promise.resolve().then(() => {
        hooks.commit?.();
        return simulated.commit(batch).then((done) => ({ ...done, lost: new Set(hooks.lost ?? done.lost) }));
      });
    },
  };
  const answers: [string, Answer][] = [];
  const room = createWaitingRoom({ limit: 10, deadlineMs: 60_000, onLate: () => {}, onDeadline });
  t.after(() => {
    for (const waiting of room) room.answer(waiting, FAILED);
  });
  const queue = createPartitionQueue(0, []);
  const ask = (request: CommandRequest) => {
    const waiting = room.enter(request, (answer) => answers.push([request.command.orderId, answer]));
    assert.ok(waiting !== null);
    queue.enqueue(waiting);
    return waiting;
  };
  const settlements = createSettlements(createLogPositions(), () => 0);
  const { logger, lines } = createTestLog();
  const transactions = createTransactions({ store, settlements, now: () => 0, logger });
  const again: [orderId: string, afterMs: number][] = [];
  const sent: { seqs: number[]; requests: unknown }[] = [];
  const fated: unknown[] = [];
  const keysInFlight = new Set<string>();
  const decide = createBatchDecider({
    store,
    room,
    transactions,
    tryAgain: (waiting, afterMs) => again.push([waiting.request.command.orderId, afterMs]),
    logger,
    circumstances: () => ({ now: hooks.now(), newId: () => `event-${commits}`, random: () => 0 }),
    firstSeq: 7,
  });
  const write = createBatchWriter({
    room,
    decide,
    taker: createBatchTaker({ keysInFlight, refuseLate: () => {}, publishTimeoutMs: 1_000 }),
    sender: {
      send: (topic, rows, requests) => {
        assert.equal(topic, A_TOPIC);
        sent.push({ seqs: rows.map(({ seq }) => seq), requests });
        return Promise.resolve(hooks.fates);
      },
      lastAcknowledgedAt: null,
    },
    answerByFate: ({ topic, queues, events, fates }) => {
      fated.push([topic, queues, events.map(({ row }) => row.seq), fates]);
      return Promise.resolve();
    },
    logger,
  });
  const run = () => write(A_TOPIC, [queue]);
  return {
    disk,
    hooks,
    room,
    queue,
    ask,
    settlements,
    sent,
    fated,
    answers,
    again,
    lines,
    keysInFlight,
    run,
    commits: () => commits,
  };
};

const UNAVAILABLE = new StoreError('STORE_UNAVAILABLE', 'full');

const failWith = (error: Error) => () => {
  throw error;
};

describe('a batch of requests', () => {
  test('is stored, published, and answered by the fates of its events', async (t) => {
    const { ask, run, disk, sent, fated, queue, hooks, answers } = scene(t);
    const requests = [create(1), create(2)];
    const waiting = requests.map(ask);
    assert.deepEqual(await run(), { taken: true, sent: 2, trouble: null });
    assert.deepEqual([...disk.state.outbox.keys()], [7, 8]);
    assert.deepEqual([...disk.state.orders.keys()], ['ORD-1', 'ORD-2']);
    assert.deepEqual(sent, [{ seqs: [7, 8], requests }]);
    assert.deepEqual(fated, [[A_TOPIC, [queue], [7, 8], hooks.fates]]);
    assert.deepEqual([unsettledIn([queue]), answers], [[7, 8], []]);
    assert.ok(waiting.every(({ stored }) => stored));
  });

  test('does not store what was decided on an order that has changed, and tries its request again', async (t) => {
    const { ask, run, disk, hooks, queue, again, sent } = scene(t);
    const [first, second] = [create(1), create(2)].map(ask);
    const learned = { orderId: 'ORD-1', version: 4, status: 'shipped' as const };
    hooks.commit = () => {
      hooks.commit = () => {};
      disk.commit((state) => ({ ...state, orders: new Map([['ORD-1', learned]]) }));
    };
    assert.deepEqual(await run(), { taken: true, sent: 1, trouble: null });
    assert.deepEqual(disk.state.orders.get('ORD-1'), learned);
    assert.deepEqual([again, sent.map(({ seqs }) => seqs)], [[['ORD-1', 0]], [[8]]]);
    assert.deepEqual([unsettledIn([queue]), first?.stored, second?.stored], [[8], false, true]);
  });

  test('does not answer under a key that another instance has recorded meanwhile', async (t) => {
    const { ask, run, hooks, again, answers } = scene(t);
    ask(keyed('a', update(1, 'shipped')));
    hooks.lost = ['ORD-1'];
    await run();
    assert.deepEqual([again, answers], [[['ORD-1', 0]], []]);
  });

  test('leaves an order alone of which another instance has an open event, and tries its request soon again', async (t) => {
    const { ask, run, disk, hooks, again, answers } = scene(t);
    [create(1), update(2, 'shipped')].map(ask);
    hooks.openElsewhere = ['ORD-1', 'ORD-2'];
    assert.deepEqual(await run(), { taken: true, sent: 0, trouble: null });
    assert.deepEqual(
      [again, answers, disk.state.outbox.size],
      [
        [
          ['ORD-1', 5],
          ['ORD-2', 5],
        ],
        [],
        0,
      ],
    );
  });

  test('gives each event a later number than the batch before', async (t) => {
    const { ask, run, sent } = scene(t);
    for (const id of [1, 2]) {
      ask(create(id));
      await run();
    }
    assert.deepEqual(
      sent.map(({ seqs }) => seqs),
      [[7], [8]],
    );
  });

  test('says what trouble the broker has', async (t) => {
    const { ask, run, hooks } = scene(t);
    hooks.fates = [{ kind: 'not_written', detail: 'down' }];
    ask(create(1));
    assert.deepEqual(await run(), { taken: true, sent: 1, trouble: { with: 'leader', reason: 'down' } });
  });

  test('without an event publishes nothing; an answer that must be remembered is stored before it is given', async (t) => {
    const { ask, run, disk, sent, answers, commits, keysInFlight } = scene(t);
    ask(update(1, 'confirmed'));
    assert.deepEqual(await run(), { taken: true, sent: 0, trouble: null });
    assert.deepEqual([answers[0]?.[1].kind, commits()], ['refused', 0]);
    ask(keyed('a', update(1, 'confirmed')));
    await run();
    assert.deepEqual([answers[1]?.[1].kind, commits(), [...disk.state.idempotency.keys()]], ['refused', 1, ['a']]);
    assert.deepEqual([sent, keysInFlight.size], [[], 0]);
  });

  test('with a repetition of an unanswered request forgets that it was unanswered', async (t) => {
    const { ask, run, disk, answers, hooks } = scene(t);
    const asked = update(1, 'confirmed');
    disk.commit((state) => ({
      ...state,
      orders: new Map([['ORD-1', { orderId: 'ORD-1', version: 2, status: 'confirmed' }]]),
      unanswered: new Map([['x', { orderId: 'ORD-1', fingerprint: asked.command.fingerprint, at: 0 }]]),
    }));
    hooks.commit = () => assert.deepEqual(answers, []);
    ask(asked);
    await run();
    assert.equal(answers[0]?.[1].kind, 'done');
  });

  test('is decided after the store has every request that was acknowledged after its answer', async (t) => {
    const { ask, run, hooks, settlements, commits } = scene(t);
    const row = { seq: 1, eventId: 'e', orderId: 'ORD-9', fingerprint: 'f', idempotencyKey: null };
    const message = { key: 'ORD-9', value: '{"version":1}', headers: {} };
    settlements.acknowledged({ ...row, message }, { partition: 0, offset: 0 }, A_TOPIC, false);
    hooks.load = () => assert.equal(commits(), 1);
    ask(create(1));
    await run();
    assert.equal(commits(), 2);
  });

  test('does nothing for a request that was answered while the store was asked', async (t) => {
    const { ask, run, room, hooks, sent } = scene(t);
    const waiting = ask(create(1));
    ask(create(2));
    hooks.load = () => room.answer(waiting, FAILED);
    await run();
    assert.deepEqual(sent[0]?.requests, [create(2)]);
  });

  test('is stored again by nobody: its requests are marked, and its events open, before the commit', async (t) => {
    const { ask, run, hooks, queue } = scene(t);
    const waiting = ask(create(1));
    hooks.commit = () => assert.deepEqual([waiting.stored, unsettledIn([queue])], [true, [7]]);
    assert.equal((await run()).sent, 1);
  });
});

describe('nothing is taken', () => {
  test('if nothing waits', async (t) => {
    assert.deepEqual(await scene(t).run(), { taken: true, sent: 0, trouble: null });
  });

  test('if the idempotency keys of all that wait are in another batch', async (t) => {
    const { ask, run, keysInFlight } = scene(t);
    keysInFlight.add('a');
    ask(keyed('a', create(1)));
    assert.deepEqual(await run(), { taken: false, sent: 0, trouble: null });
  });
});

describe('a batch, if the store fails', () => {
  const MESSAGE = 'the store failed; the requests of this batch are refused';

  test('before its decision, is refused: nobody knows what the store has', async (t) => {
    const { ask, run, hooks, answers, sent, lines, keysInFlight } = scene(t);
    hooks.load = failWith(UNAVAILABLE);
    ask(keyed('a', create(1)));
    assert.deepEqual(await run(), { taken: true, sent: 0, trouble: null });
    assert.deepEqual([answers, sent, keysInFlight.size], [[['ORD-1', FAILED]], [], 0]);
    assert.deepEqual(
      lines.map(({ level, msg, err }) => [level, msg, (err as Error).message]),
      [['error', MESSAGE, 'full']],
    );
  });

  test('to commit it, did certainly nothing', async (t) => {
    const { ask, run, hooks, answers, sent, queue } = scene(t);
    hooks.commit = failWith(UNAVAILABLE);
    ask(create(1));
    await run();
    assert.deepEqual(answers, [['ORD-1', { ...FAILED, outcome: 'not_created' }]]);
    assert.deepEqual([sent, unsettledIn([queue])], [[], []]);
  });

  test('to commit it, leaves the outcome unknown to one of several attempts', async (t) => {
    const { ask, run, hooks, answers } = scene(t);
    hooks.commit = failWith(UNAVAILABLE);
    ask(create(1));
    ask(create(1));
    await run();
    assert.deepEqual(answers, [['ORD-1', FAILED]]);
  });

  for (const error of [new StoreError('STORE_IN_DOUBT', 'sync failed'), new Error('a fault')]) {
    test(`so that a recovery may find it, leaves the outcome unknown: ${error.message}`, async (t) => {
      const { ask, run, hooks, answers, queue } = scene(t);
      hooks.commit = failWith(error);
      ask(create(1));
      await run();
      assert.deepEqual([answers, unsettledIn([queue])], [[['ORD-1', FAILED]], []]);
    });
  }
});

describe('a request that cannot be decided by a fault of this service', () => {
  test('is refused, and the others of its batch go on', async (t) => {
    const { ask, run, answers, sent, lines } = scene(t);
    const draft = {
      items: null,
      get customerId() {
        throw new Error('a fault');
      },
    };
    const odd = { ...create(1), command: { ...create(1).command, draft } } as unknown as CommandRequest;
    ask(create(2));
    ask(odd);
    await run();
    assert.deepEqual([answers, sent.map(({ seqs }) => seqs)], [[['ORD-1', FAILED]], [[7]]]);
    assert.deepEqual(
      lines.map(({ level, msg, err }) => [level, msg, err !== undefined]),
      [['error', 'a request could not be decided; the others of its batch go on', true]],
    );
  });
});
