import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { headerName } from '#kafka_common/header_names.ts';
import type { AppliedBatch, ConsumerDb, DeadLetter, OrderView, PositionStep } from '#order_service/consumer_db.ts';
import { consumerDbReadsContract } from './consumer_db_contract_reads.ts';
import { anAppliedBatch, anOrder, applyNext, aStep } from '#tests/support/events.ts';

/** An empty store that can be opened again and again. */
export interface ConsumerDbPlace {
  open(): Promise<ConsumerDb>;
  remove(): Promise<void>;
}

const TOPIC = 'orders.events';

const view = (orderId: string, changes: Partial<OrderView> = {}): OrderView => ({
  orderId,
  version: 1,
  status: 'new',
  pendingSince: null,
  ...changes,
});

const createdOrders = (orderIds: readonly string[]): AppliedBatch =>
  anAppliedBatch({ views: orderIds.map((id) => view(id)), orders: orderIds.map((id) => anOrder(id)) });

const deadLetter = (changes: Partial<DeadLetter> = {}): DeadLetter => ({
  topic: TOPIC,
  partition: 3,
  offset: 42,
  timestamp: 1_768_737_600_000,
  key: Buffer.from('ORD-1'),
  value: Buffer.from('{'),
  headers: [],
  reason: 'the value is not JSON',
  isWhole: true,
  storedAt: 1_768_737_600_500,
  ...changes,
});

/** Moves partition 1 from `from` to offset 20. */
const stepFrom = (from: number | null, changes: Partial<PositionStep> = {}) =>
  aStep({ partition: 1, from, next: 20, ...changes });

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `ORD-${(n * 7_919) % 1_000_003}`);

const allIds = async (db: ConsumerDb): Promise<string[]> => (await Array.fromAsync(db.orderIds())).flat();

/** Everything that a reader can see, to compare before and after. */
const loadedFrom = async (db: ConsumerDb, orderIds: readonly string[], eventIds: readonly string[]) => {
  const { basis: _, ...loaded } = await db.load(orderIds, eventIds);
  return loaded;
};

const everything = async (db: ConsumerDb, orderIds: readonly string[], eventIds: readonly string[]) => ({
  loaded: await loadedFrom(db, orderIds, eventIds),
  orders: await Promise.all(orderIds.map((id) => db.order(id))),
  ids: await allIds(db),
  positions: await db.positions(TOPIC),
  pending: await db.pending(100),
  deadLetters: await db.deadLetters(0, 100),
  counts: await db.counts(),
});

/** What every store of the Order Service guarantees. */
export const consumerDbContract = (
  name: string,
  createPlace: () => Promise<ConsumerDbPlace>,
  options: { readonly skip?: string | false } = {},
): void => {
  describe(`${name} as a consumer db`, options, () => {
    let place: ConsumerDbPlace;
    let db: ConsumerDb;

    beforeEach(async () => {
      place = await createPlace();
      db = await place.open();
    });

    afterEach(async () => {
      await db.close();
      await place.remove();
    });

    const reopen = async (): Promise<void> => {
      await db.close();
      db = await place.open();
    };

    test('an empty store answers every query with nothing', async () => {
      assert.deepEqual(await everything(db, ['ORD-1'], ['event-1']), {
        loaded: { views: new Map(), seenEventIds: new Set() },
        orders: [null],
        ids: [],
        positions: [],
        pending: [],
        deadLetters: [],
        counts: { orders: 0, pending: 0, deadLetters: 0, heldDeadLetters: 0 },
      });
    });

    test('an order is read back whole, with its present status', async () => {
      const items = [{ itemId: 'ITEM-é-漢-😀', quantity: 1_000_000, price: 9_007_199_254 }];
      const order = anOrder('ORD-1', { items, totalAmount: Number.MAX_SAFE_INTEGER, currency: 'JPY' });
      await applyNext(db, anAppliedBatch({ views: [view('ORD-1')], orders: [order] }));
      assert.deepEqual(await db.order('ORD-1'), { ...order, version: 1 });
      await applyNext(db, anAppliedBatch({ views: [view('ORD-1', { version: 2, status: 'shipped' })] }));
      assert.deepEqual(await db.order('ORD-1'), { ...order, status: 'shipped', version: 2 });
    });

    test('an order that comes again replaces its body, and keeps its place in the listing', async () => {
      await applyNext(db, createdOrders(['ORD-1', 'ORD-2']));
      const order = anOrder('ORD-1', { customerId: 'CUST-2' });
      await applyNext(db, anAppliedBatch({ views: [view('ORD-1', { version: 5 })], orders: [order] }));
      assert.deepEqual(await db.order('ORD-1'), { ...order, version: 5 });
      assert.deepEqual(await allIds(db), ['ORD-1', 'ORD-2']);
    });

    test('ids that differ in leading zeros are different orders', async () => {
      await applyNext(db, createdOrders(['ORD-123', 'ORD-0123']));
      assert.equal((await db.order('ORD-0123'))?.orderId, 'ORD-0123');
      assert.equal(await db.order('ORD-00123'), null);
    });

    test('load takes a thousand ids at once, and leaves out the unknown ones', async () => {
      const known = ids(1_000);
      await applyNext(db, createdOrders(known));
      await applyNext(db, anAppliedBatch({ views: [view('ORD-w', { version: 7, pendingSince: 5 })] }));
      const { views } = await db.load([...known, 'ORD-w', 'ORD-unknown'], []);
      assert.deepEqual(
        views,
        new Map(
          [...known.map((id) => view(id)), view('ORD-w', { version: 7, pendingSince: 5 })].map((v) => [v.orderId, v]),
        ),
      );
    });

    test('seen event ids are remembered, and load returns only those that it was given', async () => {
      await applyNext(db, anAppliedBatch({ unversionedEventIds: ['a', 'b'] }));
      await applyNext(db, anAppliedBatch({ unversionedEventIds: ['b', 'c'] }));
      assert.deepEqual((await db.load([], ['a', 'c', 'd'])).seenEventIds, new Set(['a', 'c']));
    });

    test('the highest version that is an exact number is kept', async () => {
      const newest = view('ORD-1', { version: Number.MAX_SAFE_INTEGER });
      await applyNext(db, anAppliedBatch({ views: [newest], orders: [anOrder('ORD-1')] }));
      assert.deepEqual((await db.load(['ORD-1'], [])).views.get('ORD-1'), newest);
    });

    describe('a pending status', () => {
      test('is not an order: it is not read, listed or counted as one', async () => {
        await applyNext(db, anAppliedBatch({ views: [view('ORD-1', { pendingSince: 1_000 })] }));
        assert.equal(await db.order('ORD-1'), null);
        assert.deepEqual(await allIds(db), []);
        assert.deepEqual(await db.counts(), { orders: 0, pending: 1, deadLetters: 0, heldDeadLetters: 0 });
      });

      test('is replaced by a newer one', async () => {
        await applyNext(db, anAppliedBatch({ views: [view('ORD-1', { version: 2, pendingSince: 1_000 })] }));
        const newer = view('ORD-1', { version: 3, status: 'shipped', pendingSince: 1_000 });
        await applyNext(db, anAppliedBatch({ views: [newer] }));
        assert.deepEqual(await db.pending(10), [newer]);
      });

      test('becomes the status of its order when that arrives', async () => {
        await applyNext(
          db,
          anAppliedBatch({ views: [view('ORD-1', { version: 3, status: 'shipped', pendingSince: 1_000 })] }),
        );
        const there = view('ORD-1', { version: 3, status: 'shipped' });
        await applyNext(db, anAppliedBatch({ views: [there], orders: [anOrder('ORD-1')] }));
        assert.deepEqual((await db.load(['ORD-1'], [])).views.get('ORD-1'), there);
        assert.equal((await db.order('ORD-1'))?.status, 'shipped');
        assert.deepEqual(await db.pending(10), []);
        assert.deepEqual(await db.counts(), { orders: 1, pending: 0, deadLetters: 0, heldDeadLetters: 0 });
      });

      test('is listed by age, up to the limit', async () => {
        const views = [3_000, 1_000, 2_000, 1_000].map((since, n) => view(`ORD-${n}`, { pendingSince: since }));
        await applyNext(db, anAppliedBatch({ views }));
        assert.deepEqual(
          (await db.pending(3)).map(({ orderId }) => orderId),
          ['ORD-1', 'ORD-3', 'ORD-2'],
        );
      });
    });

    describe('the listing of ids', () => {
      test('gives each id once over many pages, in the order first received', async () => {
        const received = ids(5_500);
        for (let n = 0; n < received.length; n += 500) await applyNext(db, createdOrders(received.slice(n, n + 500)));
        await applyNext(db, anAppliedBatch({ views: [view(received[700] ?? '', { version: 2, status: 'shipped' })] }));
        assert.deepEqual(await allIds(db), received);
      });

      test('holds at most a thousand ids at a time, and lets the event loop run between pages', async (t) => {
        await applyNext(db, createdOrders(ids(5_500)));
        let turns = 0;
        const takeTurn = (): void => {
          turns += 1;
          turn = setImmediate(takeTurn);
        };
        let turn = setImmediate(takeTurn);
        t.after(() => clearImmediate(turn));
        let pages = 0;
        for await (const page of db.orderIds()) {
          assert.ok(page.length <= 1_000);
          assert.ok(turns >= pages);
          pages += 1;
        }
        assert.ok(pages >= 6);
      });

      test('ends although orders keep arriving while it is read', async () => {
        await applyNext(db, createdOrders(ids(1_500)));
        let arrived = 0;
        const listed: string[] = [];
        for await (const page of db.orderIds()) {
          listed.push(...page);
          await applyNext(db, createdOrders(Array.from({ length: 1_500 }, () => `ORD-9${arrived++}`)));
        }
        assert.deepEqual(listed.slice(0, 1_500), ids(1_500));
      });

      test('can be stopped in the middle', async () => {
        await applyNext(db, createdOrders(ids(2_500)));
        for await (const _page of db.orderIds()) break;
        await applyNext(db, createdOrders(['ORD-99999999']));
        assert.equal((await allIds(db)).length, 2_501);
      });
    });

    consumerDbReadsContract(() => db, reopen);

    describe('dead letters', () => {
      const odd = deadLetter({
        key: null,
        value: Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]),
        headers: [
          ['traceparent', Buffer.from('00-4bf9')],
          ['traceparent', Buffer.from([0xff])],
          ['ünïcode', null],
          [headerName(Buffer.from('ff61', 'hex')), Buffer.from('ff00fe', 'hex')],
          ['empty', Buffer.alloc(0)],
        ],
      });

      test('keep every byte of key, value and headers', async () => {
        const cut = deadLetter({ value: Buffer.alloc(0), isWhole: false });
        const letters = [odd, deadLetter({ value: null, headers: [] }), cut];
        await applyNext(db, anAppliedBatch({ deadLetters: letters }));
        const stored = await db.deadLetters(0, 10);
        assert.deepEqual(
          stored.map(({ id: _id, redrive: _redrive, ...letter }) => letter),
          letters,
        );
      });

      test('are paged in the order they were set aside', async () => {
        assert.equal(await db.lastDeadLetter(), 0);
        for (let n = 0; n < 5; n += 1) {
          await applyNext(
            db,
            anAppliedBatch({ deadLetters: [deadLetter({ offset: n }), deadLetter({ offset: n + 100 })] }),
          );
        }
        assert.equal(await db.lastDeadLetter(), 10);
        const offsets: number[] = [];
        let after = 0;
        for (let page = await db.deadLetters(after, 3); page.length > 0; page = await db.deadLetters(after, 3)) {
          assert.ok(page.length <= 3);
          offsets.push(...page.map(({ offset }) => offset));
          after = page.at(-1)?.id ?? 0;
        }
        assert.deepEqual(offsets, [0, 100, 1, 101, 2, 102, 3, 103, 4, 104]);
        assert.equal((await db.counts()).deadLetters, 10);
      });

      test('that were redriven show what became of them, and are not held any more', async () => {
        const letters = [0, 1, 2].map((offset) => deadLetter({ offset }));
        await applyNext(db, anAppliedBatch({ deadLetters: letters }));
        const redrive = { at: 1_768_737_700_000, partition: 3, offset: 77, outcome: 'applied' } as const;
        const letter = { topic: TOPIC, partition: 3, offset: 1 };
        const unknown = { ...letter, partition: 4 };
        await applyNext(
          db,
          anAppliedBatch({
            redriven: [
              { letter, ...redrive },
              { letter: unknown, ...redrive },
            ],
          }),
        );
        assert.deepEqual(
          (await db.deadLetters(0, 10)).map((one) => one.redrive),
          [null, redrive, null],
        );
        assert.deepEqual(
          (await db.deadLetters(0, 10, 'redriven')).map(({ offset }) => offset),
          [1],
        );
        assert.deepEqual(
          (await db.deadLetters(0, 1, 'held')).map(({ offset }) => offset),
          [0],
        );
        assert.deepEqual(
          (await db.deadLetters(1, 10, 'held')).map(({ offset }) => offset),
          [2],
        );
        const { deadLetters, heldDeadLetters } = await db.counts();
        assert.deepEqual([deadLetters, heldDeadLetters], [3, 2]);
      });

      test('that were redriven in the same batch show that too, as when the log is read again', async () => {
        const again = { at: 1, partition: 3, offset: 77, outcome: 'dead_letter' } as const;
        const letter = { topic: TOPIC, partition: 3, offset: 42 };
        const redriven = [{ letter, ...again }];
        await applyNext(db, anAppliedBatch({ deadLetters: [deadLetter(), deadLetter({ offset: 77 })], redriven }));
        assert.deepEqual(
          (await db.deadLetters(0, 10)).map(({ redrive }) => redrive),
          [again, null],
        );
      });

      test('that have the same position, as in a topic that was made again: the later one counts as redriven', async () => {
        const letter = { topic: TOPIC, partition: 3, offset: 42 };
        const redriven = [{ letter, at: 1, partition: 3, offset: 77, outcome: 'dead_letter' as const }];
        await applyNext(db, anAppliedBatch({ deadLetters: [deadLetter(), deadLetter()] }));
        await applyNext(db, anAppliedBatch({ redriven }));
        assert.deepEqual(
          (await db.deadLetters(0, 10)).map(({ redrive }) => redrive?.outcome),
          [undefined, 'dead_letter'],
        );
      });
    });

    test('texts of others stay different: with NUL, half of a surrogate pair, or the escape of either', async () => {
      const odd = [
        'a\0b',
        'a\0c',
        'x\ud800',
        'x\ud801',
        'x\ufffd',
        'x\u0001d802',
        'x\ud802\udfff\ud802',
        '😀',
        '"\\x00',
      ];
      const orders = odd.map((customerId, n) => anOrder(`ORD-${n}`, { customerId }));
      const batch = {
        views: orders.map(({ orderId }) => view(orderId)),
        orders,
        unversionedEventIds: odd,
        deadLetters: odd.map((text) => deadLetter({ reason: text, headers: [[text, Buffer.from([0])]] })),
      };
      await applyNext(db, anAppliedBatch(batch));
      assert.deepEqual((await db.load([], [...odd, 'x\ud805', 'a'])).seenEventIds, new Set(odd));
      for (const order of orders) {
        assert.deepEqual(await db.order(order.orderId), { ...order, version: 1 });
        const { orders: found } = await db.orders({ customerId: order.customerId }, null, 10);
        assert.deepEqual(
          found.map(({ orderId }) => orderId),
          [order.orderId],
        );
      }
      assert.deepEqual(
        (await db.deadLetters(0, 10)).map(({ headers }) => headers[0]?.[0]),
        odd,
      );
    });

    describe('positions', () => {
      test('are kept for each partition of each topic, with the id of the topic', async () => {
        await applyNext(db, anAppliedBatch({ positions: [aStep({ partition: 1, next: 10 })] }));
        await applyNext(db, anAppliedBatch({ positions: [aStep({ partition: 0, next: 2 ** 52 })] }));
        await applyNext(
          db,
          anAppliedBatch({ positions: [aStep({ topic: 'other', partition: 1, topicId: 'topic-2', next: 30 })] }),
        );
        assert.deepEqual(await db.positions(TOPIC), [
          { partition: 0, topicId: 'topic-1', next: 2 ** 52 },
          { partition: 1, topicId: 'topic-1', next: 10 },
        ]);
      });

      test('follow the last batch, also backwards and to another topic of the same name', async () => {
        await applyNext(db, anAppliedBatch({ positions: [aStep({ partition: 1, next: 10 })] }));
        await applyNext(db, anAppliedBatch({ positions: [aStep({ partition: 1, topicId: 'topic-2', next: 3 })] }));
        assert.deepEqual(await db.positions(TOPIC), [{ partition: 1, topicId: 'topic-2', next: 3 }]);
      });
    });

    test('a batch that was decided at another position than the stored one is refused as a whole', async () => {
      await db.applyBatch(anAppliedBatch({ positions: [stepFrom(null, { next: 10 })] }));
      const before = await everything(db, ['ORD-1'], ['event-1']);
      const late = {
        views: [view('ORD-1')],
        orders: [anOrder('ORD-1')],
        unversionedEventIds: ['event-1'],
        deadLetters: [deadLetter()],
      };
      for (const step of [
        stepFrom(null),
        stepFrom(9),
        stepFrom(11),
        stepFrom(10, { topicId: 'topic-2' }),
        stepFrom(10, { partition: 2 }),
      ]) {
        // Another step that is right does not help.
        for (const positions of [[step], [aStep({ partition: 5 }), step]]) {
          const refused = db.applyBatch(anAppliedBatch({ ...late, positions }));
          await assert.rejects(refused, { name: 'StoreError', code: 'STORE_OVERTAKEN' });
        }
      }
      assert.deepEqual(await everything(db, ['ORD-1'], ['event-1']), before);
      await db.applyBatch(anAppliedBatch({ ...late, positions: [aStep({ partition: 5 }), stepFrom(10)] }));
      assert.deepEqual(await allIds(db), ['ORD-1']);
    });

    const full = anAppliedBatch({
      positions: [aStep({ partition: 2, next: 77 })],
      views: [view('ORD-1'), view('ORD-2', { version: 0, pendingSince: 1_000 })],
      orders: [anOrder('ORD-1')],
      unversionedEventIds: ['event-1'],
      deadLetters: [deadLetter()],
    });

    const pendingOne = anAppliedBatch({ views: [view('ORD-1', { version: 3, status: 'shipped', pendingSince: 5 })] });

    test('a committed batch is visible to another process at once, and after the store is opened again', async () => {
      await applyNext(db, full);
      const before = await everything(db, ['ORD-1', 'ORD-2'], ['event-1']);
      const other = await place.open();
      assert.deepEqual(await everything(other, ['ORD-1', 'ORD-2'], ['event-1']), before);
      await other.close();
      await reopen();
      assert.deepEqual(await everything(db, ['ORD-1', 'ORD-2'], ['event-1']), before);
      assert.deepEqual(before.counts, { orders: 1, pending: 1, deadLetters: 1, heldDeadLetters: 1 });
    });

    test('a commit of another process is noticed, and shows which orders are there', async () => {
      const other = await place.open();
      assert.deepEqual(await db.knownAmong(['ORD-1', 'ORD-2']), []);
      const before = await db.commits();
      assert.equal(await db.commits(), before);
      await applyNext(other, full);
      assert.notEqual(await db.commits(), before);
      // Only the status of ORD-2 has come.
      assert.deepEqual(await db.knownAmong(['ORD-2', 'ORD-1', 'ORD-3']), ['ORD-1']);
      await other.close();
    });

    for (const [what, before, change, after] of [
      ['created', [], full, view('ORD-1', { version: 2, status: 'shipped' })],
      ['created (a status of it was pending)', [pendingOne], full, view('ORD-1', { version: 2, status: 'shipped' })],
      ['changed', [full], anAppliedBatch({ views: [view('ORD-1', { version: 2, status: 'shipped' })] }), view('ORD-1')],
      ['given a pending status', [], pendingOne, view('ORD-1')],
    ] as const) {
      test(`a transaction is refused if its order was ${what} by another process since it was loaded`, async () => {
        const other = await place.open();
        for (const batch of before) await applyNext(db, batch);
        const { basis } = await db.load(['ORD-0', 'ORD-1'], []);
        await applyNext(other, { ...change, positions: [aStep({ partition: 2, next: 99 })] });
        const late = anAppliedBatch({
          positions: [aStep({ partition: 5 })],
          views: [view('ORD-0'), after],
          orders: [anOrder('ORD-0'), anOrder('ORD-1')],
          deadLetters: [deadLetter()],
          basis,
        });
        const { deadLetters } = await db.counts();
        await assert.rejects(db.applyBatch(late), { name: 'StoreError', code: 'STORE_CHANGED' });
        assert.deepEqual([(await db.counts()).deadLetters, await db.order('ORD-0')], [deadLetters, null]);
        await db.applyBatch({ ...late, basis: (await db.load(['ORD-0', 'ORD-1'], [])).basis });
        assert.deepEqual(
          [(await db.counts()).deadLetters, (await db.order('ORD-1'))?.status],
          [deadLetters + 1, after.status],
        );
        await other.close();
      });
    }

    test('a store keeps its identity when it is opened again', async () => {
      const { viewId } = db;
      await reopen();
      assert.equal(db.viewId, viewId);
    });

    test('a batch that fails leaves nothing behind, and the next one is taken', async () => {
      await applyNext(db, createdOrders(['ORD-0']));
      const before = await everything(db, ['ORD-0', 'ORD-1', 'ORD-2'], ['event-1']);
      const failing = { ...full, deadLetters: [deadLetter({ reason: null as unknown as string })] };
      await assert.rejects(applyNext(db, failing), { name: 'StoreError', code: 'STORE_UNAVAILABLE' });
      assert.deepEqual(await everything(db, ['ORD-0', 'ORD-1', 'ORD-2'], ['event-1']), before);
      await applyNext(db, full);
      assert.deepEqual(await allIds(db), ['ORD-0', 'ORD-1']);
      assert.deepEqual(await db.counts(), { orders: 2, pending: 1, deadLetters: 1, heldDeadLetters: 1 });
    });

    test('a store that cannot be reached rejects with STORE_UNAVAILABLE', async () => {
      const closed = await place.open();
      await closed.close();
      const unavailable = { name: 'StoreError', code: 'STORE_UNAVAILABLE' };
      await assert.rejects(closed.applyBatch(full), unavailable);
      await assert.rejects(closed.load(['ORD-1'], []), unavailable);
      await assert.rejects(closed.order('ORD-1'), unavailable);
      await assert.rejects(Array.fromAsync(closed.orderIds()), unavailable);
    });
  });
};
