import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { OrderState } from '#cart_service/order_commands.ts';
import {
  type CartBatch,
  type CartStore,
  type Committed,
  EMPTY_CART_BATCH,
  type IdempotencyRecord,
  type OutboxRow,
  type UnansweredRequest,
} from '#cart_service/store/cart_store.ts';

export const batch = (changes: Partial<CartBatch>): CartBatch => ({ ...EMPTY_CART_BATCH, ...changes });

export const order = (orderId: string, changes: Partial<OrderState> = {}): OrderState => ({
  orderId,
  version: 1,
  status: 'new',
  ...changes,
});

export const row = (seq: number, changes: Partial<OutboxRow> = {}, orderId = `ORD-${seq}`): OutboxRow => ({
  seq,
  eventId: `event-${seq}`,
  orderId,
  message: { key: orderId, value: `{"n":${seq}}`, headers: { ce_id: `event-${seq}` } },
  fingerprint: null,
  idempotencyKey: null,
  ...changes,
});

const record = (key: string, changes: Partial<IdempotencyRecord> = {}): IdempotencyRecord => ({
  key,
  fingerprint: `fingerprint of ${key}`,
  orderId: 'ORD-1',
  refusal: null,
  createdAt: 1_768_737_600_000,
  ...changes,
});

const unanswered = (orderId: string, fingerprint: string, at: number | null = null): UnansweredRequest => ({
  orderId,
  fingerprint,
  at,
});

const ahead = (offset: number, version = 2) => [{ orderId: 'ORD-1', version, offset }];

const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `ORD-${(n * 7_919) % 1_000_003}`);

const decision = (state: OrderState, previous: OrderState | null) => ({
  orders: [{ state, previous }],
  outbox: [row(1, { idempotencyKey: 'k' }, state.orderId)],
  idempotency: [record('k', { orderId: state.orderId })],
});

/** Everything that a reader can see, to compare before and after. */
const everything = async (store: CartStore, orderIds: readonly string[], keys: readonly string[] = []) => ({
  ...(await store.load(orderIds, keys)),
  outbox: await store.outbox(),
  positions: await store.positions(),
});

type Changes = Omit<Partial<CartBatch>, 'orders'> & { readonly orders?: readonly OrderState[] };

/**
 * What every store of the Cart Service promises to its callers.
 * @param createPlace makes an empty place. It returns a function that opens the store there; only one is open at a time
 */
export const cartStoreContract = (
  name: string,
  createPlace: () => () => Promise<CartStore>,
  options: { readonly skip?: string | false } = {},
): void => {
  describe(`${name} as a cart store`, options, () => {
    let open: () => Promise<CartStore>;
    let store: CartStore;

    beforeEach(async () => {
      open = createPlace();
      store = await open();
    });

    afterEach(() => store.close());

    /** Decides the orders on what the store has now. Every event gets an order. */
    const commit = async ({ orders = [], ...changes }: Changes): Promise<Committed> => {
      const alone = (changes.outbox ?? []).filter((event) => !orders.some(({ orderId }) => orderId === event.orderId));
      const all = [...orders.map(({ orderId }) => orderId), ...alone.map(({ orderId }) => orderId)];
      const now = (await store.load(all, [])).orders;
      const decided = [
        ...orders.map((state) => ({ state, previous: now.get(state.orderId) ?? null })),
        ...alone.map(({ orderId }) => {
          const previous = now.get(orderId) ?? null;
          return { state: order(orderId, { version: (previous?.version ?? 0) + 1 }), previous };
        }),
      ];
      return store.commit(batch({ ...changes, orders: decided }));
    };

    const orderIn = async (orderId: string): Promise<OrderState | undefined> =>
      (await store.load([orderId], [])).orders.get(orderId);

    const recordUnder = async (key: string): Promise<IdempotencyRecord | undefined> =>
      (await store.load([], [key])).idempotency.get(key);

    const fingerprintsOf = async (orderId: string): Promise<readonly string[]> =>
      ((await store.load([orderId], [])).unanswered.get(orderId) ?? []).toSorted();

    const aheadOf = async (orderId: string) => (await store.load([orderId], [])).logged.get(orderId)?.ahead;

    const outboxSeqs = async (): Promise<number[]> => (await store.outbox()).map(({ seq }) => seq);

    test('an empty store returns nothing, also after an empty batch', async () => {
      const nothing = {
        orders: new Map(),
        logged: new Map(),
        unanswered: new Map(),
        idempotency: new Map(),
        openElsewhere: new Set(),
        outbox: [],
        positions: [],
      };
      assert.deepEqual(await everything(store, ['ORD-1'], ['key']), nothing);
      await commit({});
      assert.deepEqual(await everything(store, ['ORD-1'], ['key']), nothing);
    });

    test('an order is read back whole, and its next state replaces it', async () => {
      await commit({ orders: [order('ORD-1'), order('ORD-2')] });
      const next = order('ORD-1', { version: Number.MAX_SAFE_INTEGER, status: 'shipped' });
      await commit({ orders: [next] });
      assert.deepEqual(await orderIn('ORD-1'), next);
      assert.deepEqual(await orderIn('ORD-2'), order('ORD-2'));
    });

    test('what was read from the log of an order is kept, whatever commands do to it', async () => {
      const pending = order('ORD-1', { version: 3, status: 'shipped' });
      await commit({ learned: [{ ...pending, isPending: true, logged: 2 }, order('ORD-2')] });
      assert.deepEqual(await orderIn('ORD-1'), pending);
      await commit({ orders: [order('ORD-1', { version: 4, status: 'delivered' })] });
      const { logged } = await store.load(['ORD-1', 'ORD-2'], []);
      assert.deepEqual(logged.get('ORD-1'), { version: 2, isPending: true, ahead: null });
      assert.deepEqual(logged.get('ORD-2'), { version: 1, isPending: false, ahead: null });
      await commit({ learned: [{ ...pending, version: 5 }] });
      const later = await store.load(['ORD-1'], []);
      assert.deepEqual(later.logged.get('ORD-1'), { version: 5, isPending: false, ahead: null });
    });

    describe('the offset of an acknowledged event that was not read', () => {
      const second = order('ORD-1', { version: 2, status: 'confirmed' });

      test('is kept with the order, also if the log teaches an earlier version, and after the store is opened again', async () => {
        await commit({ orders: [second, order('ORD-2')] });
        await commit({ ahead: [...ahead(0), { orderId: 'ORD-9', version: 1, offset: 1 }] });
        await commit({ learned: [order('ORD-1')] });
        await store.close();
        store = await open();
        assert.deepEqual([await aheadOf('ORD-1'), await aheadOf('ORD-2')], [0, null]);
        assert.equal(await orderIn('ORD-9'), undefined);
      });

      test('is not kept if the order has another version by now', async () => {
        await commit({ orders: [second] });
        await commit({ ahead: [...ahead(5, 1), ...ahead(7, 3)] });
        assert.equal(await aheadOf('ORD-1'), null);
      });

      test('is forgotten with the next version, and with the one that is taken back', async () => {
        const third = order('ORD-1', { version: 3, status: 'shipped' });
        await commit({ orders: [second] });
        await commit({ ahead: ahead(5), orders: [third], outbox: [row(1)] });
        assert.equal(await aheadOf('ORD-1'), null);
        await commit({ ahead: ahead(8, 3) });
        await commit({ takenBack: [{ row: row(1), state: third, previous: second }] });
        assert.equal(await aheadOf('ORD-1'), null);
      });

      test('is forgotten if the topic was made again', async () => {
        await commit({ orders: [second] });
        await commit({ ahead: ahead(5) });
        await commit({ isNewTopic: true, positions: [{ partition: 0, topicId: 'topic-2', next: 0 }] });
        assert.equal(await aheadOf('ORD-1'), null);
      });
    });

    test('a learned order is stored, unless the store has a later version', async () => {
      const later = order('ORD-1', { version: 3, status: 'shipped' });
      await commit({ orders: [later, order('ORD-2', { version: 2 })] });
      const learned = (orderId: string) => order(orderId, { version: 2, status: 'confirmed' });
      await commit({ learned: [learned('ORD-1'), learned('ORD-2'), learned('ORD-3')] });
      assert.deepEqual(await orderIn('ORD-1'), later);
      assert.deepEqual(await orderIn('ORD-2'), learned('ORD-2'));
      assert.deepEqual(await orderIn('ORD-3'), learned('ORD-3'));
    });

    describe('a decision', () => {
      const confirmed = (orderId: string) => order(orderId, { version: 2, status: 'confirmed' });
      const changes: readonly (readonly [what: string, change: Changes])[] = [
        ['has a later version', { learned: [order('ORD-1', { version: 3, status: 'shipped' })] }],
        ['has the decided version', { learned: [order('ORD-1', { version: 2, status: 'shipped' })] }],
        ['has another status', { learned: [order('ORD-1', { status: 'cancelled' })] }],
      ];
      for (const [what, change] of changes) {
        test(`is lost with its event and its record if the order ${what} by now`, async () => {
          await commit({ orders: [order('ORD-1')] });
          await commit(change);
          const before = await everything(store, ['ORD-1'], ['k']);
          const { lost } = await store.commit(batch(decision(confirmed('ORD-1'), order('ORD-1'))));
          assert.deepEqual(lost, new Set(['ORD-1']));
          assert.deepEqual(await everything(store, ['ORD-1'], ['k']), before);
        });
      }

      test('is lost if there was no order, and there is one by now, and does not touch others', async () => {
        await commit({ learned: [order('ORD-1', { version: 3 })] });
        const { orders, outbox, idempotency } = decision(order('ORD-1'), null);
        const { lost } = await store.commit(
          batch({
            orders: [...orders, { state: order('ORD-2'), previous: null }],
            outbox: [...outbox, row(2)],
            idempotency: [...idempotency, record('other', { orderId: 'ORD-2' })],
          }),
        );
        assert.deepEqual(lost, new Set(['ORD-1']));
        assert.deepEqual(
          [await orderIn('ORD-1'), await orderIn('ORD-2')],
          [order('ORD-1', { version: 3 }), order('ORD-2')],
        );
        assert.deepEqual(await outboxSeqs(), [2]);
        assert.deepEqual([await recordUnder('k'), (await recordUnder('other'))?.orderId], [undefined, 'ORD-2']);
      });

      test('is kept with its event if the order is as it was decided on', async () => {
        await commit({ orders: [order('ORD-1')] });
        const { lost } = await store.commit(batch(decision(confirmed('ORD-1'), order('ORD-1'))));
        assert.deepEqual(lost, new Set());
        assert.deepEqual([await orderIn('ORD-1'), await outboxSeqs()], [confirmed('ORD-1'), [1]]);
      });
    });

    test('the numbers of events go on above all that are in the outbox', async () => {
      await commit({ outbox: [row(7)] });
      const first = await store.firstSeq();
      assert.ok(first > 7, `${first} is free`);
    });

    test('ids that differ in leading zeros are different orders', async () => {
      await commit({ orders: [order('ORD-123', { version: 1 }), order('ORD-0123', { version: 2 })] });
      assert.deepEqual(await orderIn('ORD-0123'), order('ORD-0123', { version: 2 }));
      assert.equal(await orderIn('ORD-00123'), undefined);
    });

    test('load takes a thousand orders and keys at once, and leaves out the unknown ones', async () => {
      const known = ids(1_000);
      const states = known.map((id) => order(id));
      const records = known.map((id) => record(`key ${id}`, { orderId: id }));
      await commit({ orders: states, idempotency: records });
      await commit({ orders: [order('ORD-9999999')], idempotency: [record('not asked for')] });
      const loaded = await store.load([...known, 'ORD-8888888'], [...records.map(({ key }) => key), 'unknown']);
      assert.deepEqual(loaded.orders, new Map(states.map((state) => [state.orderId, state])));
      assert.deepEqual(loaded.idempotency, new Map(records.map((each) => [each.key, each])));
    });

    describe('the outbox', () => {
      test('is read in publishing order, whatever the order of writing', async () => {
        await commit({ outbox: [row(100), row(9)] });
        await commit({ outbox: [row(10), row(2 ** 52)] });
        await commit({ outbox: [row(1)] });
        assert.deepEqual(await outboxSeqs(), [1, 9, 10, 100, 2 ** 52]);
      });

      test('returns every row as it was written', async () => {
        const headers = { ce_id: 'é-漢-😀', 'content-type': 'application/json', '': '' };
        const value = '{"text":"é-漢-😀-\\ud800-\\u0000"}';
        const rows = [
          row(1, { fingerprint: 'f', idempotencyKey: 'k', message: { key: 'ORD-1', value, headers } }),
          row(2, { message: { key: 'ORD-2', value: 'x'.repeat(1_000_000), headers: {} } }),
        ];
        await commit({ outbox: rows });
        assert.deepEqual(await store.outbox(), rows);
      });

      test('loses the settled events, and no other', async () => {
        await commit({ outbox: [row(1), row(2), row(3)] });
        await commit({ settled: [row(2), row(3), row(99)] });
        assert.deepEqual(await outboxSeqs(), [1]);
      });

      test('takes a new row under a number that the same batch settles', async () => {
        await commit({ outbox: [row(1)] });
        const next = row(1, { eventId: 'next' });
        await commit({ settled: [row(1)], outbox: [next] });
        assert.deepEqual(await store.outbox(), [next]);
      });
    });

    describe('an event that is taken back', () => {
      const shipped = order('ORD-1', { version: 3, status: 'shipped' });
      const previous = order('ORD-1', { version: 2, status: 'confirmed' });

      test('leaves the outbox, and its order has its state from before', async () => {
        await commit({ orders: [shipped], outbox: [row(1), row(2)] });
        await commit({ takenBack: [{ row: row(1), state: shipped, previous }] });
        assert.deepEqual(await orderIn('ORD-1'), previous);
        assert.deepEqual(await outboxSeqs(), [2]);
      });

      test('leaves no order if there was none before', async () => {
        await commit({ orders: [order('ORD-1'), order('ORD-2')], outbox: [row(1), row(2)] });
        await commit({ takenBack: [{ row: row(1), state: order('ORD-1'), previous: null }] });
        assert.equal(await orderIn('ORD-1'), undefined);
        assert.deepEqual(await orderIn('ORD-2'), order('ORD-2'));
        assert.deepEqual(await outboxSeqs(), [2]);
      });

      const others: readonly (readonly [string, OrderState])[] = [
        ['a later version', order('ORD-1', { version: 4, status: 'delivered' })],
        ['its version with another status', order('ORD-1', { version: 3, status: 'cancelled' })],
        ['the very state that it has', shipped],
      ];
      for (const [what, learned] of others) {
        test(`leaves its order as it is if the log taught ${what} meanwhile`, async () => {
          await commit({ orders: [shipped], outbox: [row(1)] });
          await commit({ learned: [learned] });
          await commit({ takenBack: [{ row: row(1), state: shipped, previous }] });
          assert.deepEqual(await orderIn('ORD-1'), learned);
          assert.deepEqual(await outboxSeqs(), []);
        });
      }

      test('leaves its order if the log taught its create, before or after it was stored', async () => {
        const [before, after] = [order('ORD-1'), order('ORD-2')];
        await commit({ learned: [before] });
        await commit({ orders: [before, after], outbox: [row(1), row(2)] });
        await commit({ learned: [after] });
        await commit({
          takenBack: [before, after].map((state, n) => ({ row: row(n + 1), state, previous: null })),
        });
        assert.deepEqual(await orderIn('ORD-1'), before);
        assert.deepEqual(await orderIn('ORD-2'), after);
      });

      test('is taken back although the log taught an earlier version', async () => {
        await commit({ orders: [shipped], outbox: [row(1)] });
        await commit({ learned: [previous] });
        await commit({ takenBack: [{ row: row(1), state: shipped, previous }] });
        assert.deepEqual(await orderIn('ORD-1'), previous);
      });

      test('frees its idempotency key, and no other', async () => {
        await commit({
          orders: [order('ORD-1'), order('ORD-2')],
          outbox: [row(1), row(2)],
          idempotency: [record('mine'), record('other')],
        });
        await commit({
          takenBack: [
            { row: row(1, { idempotencyKey: 'mine' }), state: order('ORD-1'), previous: null },
            { row: row(2), state: order('ORD-2'), previous: null },
          ],
        });
        assert.equal(await recordUnder('mine'), undefined);
        assert.deepEqual(await recordUnder('other'), record('other'));
      });

      test('is replaced by a new command on the same order in the same batch', async () => {
        await commit({ orders: [order('ORD-1')], outbox: [row(1)], idempotency: [record('key')] });
        const again = record('key', { fingerprint: 'another' });
        const next = order('ORD-1', { version: 1, status: 'pending' });
        const replacing = batch({
          takenBack: [{ row: row(1, { idempotencyKey: 'key' }), state: order('ORD-1'), previous: null }],
          orders: [{ state: next, previous: null }],
          outbox: [row(2, {}, 'ORD-1')],
          idempotency: [again],
        });
        assert.deepEqual((await store.commit(replacing)).lost, new Set());
        assert.equal((await orderIn('ORD-1'))?.status, 'pending');
        assert.deepEqual(await outboxSeqs(), [2]);
        assert.deepEqual(await recordUnder('key'), again);
      });
    });

    test('an event that is dropped takes along all that remembers its request, and nothing else', async () => {
      const dropped = row(1, { fingerprint: 'a', idempotencyKey: 'mine' });
      await commit({
        orders: [order('ORD-1'), order('ORD-2')],
        outbox: [dropped, row(2)],
        unanswered: [unanswered('ORD-1', 'a'), unanswered('ORD-1', 'b'), unanswered('ORD-2', 'a')],
        idempotency: [record('mine'), record('other')],
      });
      await commit({ dropped: [dropped] });
      assert.deepEqual(await outboxSeqs(), [2]);
      const left = await store.load(['ORD-1', 'ORD-2'], ['mine', 'other']);
      assert.deepEqual(
        left.unanswered,
        new Map([
          ['ORD-1', ['b']],
          ['ORD-2', ['a']],
        ]),
      );
      assert.deepEqual([...left.idempotency.keys()], ['other']);
      assert.deepEqual([left.orders.get('ORD-1'), left.orders.get('ORD-2')], [order('ORD-1'), order('ORD-2')]);
    });

    describe('a request without an answered success', () => {
      test('is kept beside the others of its order', async () => {
        await commit({ orders: ['ORD-1', 'ORD-2', 'ORD-3'].map((id) => order(id)) });
        await commit({ unanswered: [unanswered('ORD-1', 'a')] });
        await commit({ unanswered: [unanswered('ORD-1', 'c', 1_000), unanswered('ORD-2', 'b')] });
        await commit({ orders: [order('ORD-1', { version: 2, status: 'confirmed' })] });
        const loaded = await store.load(['ORD-1', 'ORD-3'], []);
        assert.deepEqual([...loaded.unanswered.keys()], ['ORD-1']);
        assert.deepEqual(await fingerprintsOf('ORD-1'), ['a', 'c']);
      });

      test('is forgotten once it is answered, and may come again', async () => {
        const request = unanswered('ORD-1', 'a', 1_000);
        await commit({ orders: [order('ORD-1')], unanswered: [request, unanswered('ORD-1', 'b', 1_000)] });
        await commit({ forgotten: [request] });
        assert.deepEqual(await fingerprintsOf('ORD-1'), ['b']);
        await commit({ unanswered: [request] });
        await commit({ unanswered: [request] });
        assert.deepEqual(await fingerprintsOf('ORD-1'), ['a', 'b']);
      });

      test('is forgotten once it is older than the limit, unless it is kept for ever', async () => {
        const requests = [null, 999, 1_000].map((at) => unanswered('ORD-1', `at ${at}`, at));
        await commit({ orders: [order('ORD-1')], unanswered: requests });
        await commit({ expireBefore: null });
        assert.equal((await fingerprintsOf('ORD-1')).length, 3);
        await commit({ expireBefore: 1_000 });
        assert.deepEqual(await fingerprintsOf('ORD-1'), ['at 1000', 'at null']);
      });
    });

    describe('an idempotency record', () => {
      test('is read back whole, with and without a refusal', async () => {
        const refusal = { code: 'OrderAlreadyExists', detail: 'order ORD-1 "exists" – 漢' } as const;
        const records = [record('a'), record('!~', { refusal }), record('k'.repeat(255), { createdAt: 0 })];
        await commit({ idempotency: records });
        for (const each of records) assert.deepEqual(await recordUnder(each.key), each);
      });

      test('differs from one whose key differs in case', async () => {
        await commit({ idempotency: [record('key')] });
        assert.equal(await recordUnder('KEY'), undefined);
      });

      test('is forgotten once it is older than the limit, and not before', async () => {
        await commit({ idempotency: [999, 1_000, 1_001].map((at) => record(`at ${at}`, { createdAt: at })) });
        await commit({ expireBefore: null });
        assert.deepEqual(await recordUnder('at 999'), record('at 999', { createdAt: 999 }));
        await commit({ expireBefore: 1_000 });
        const left = await store.load([], ['at 999', 'at 1000', 'at 1001']);
        assert.deepEqual([...left.idempotency.keys()], ['at 1000', 'at 1001']);
      });

      test('is forgotten in several batches if there is a backlog, the oldest first', async () => {
        const old = Array.from({ length: 5_000 }, (_, n) => record(`old ${n}`, { createdAt: 5_000 - n }));
        await commit({ idempotency: [...old, record('young', { createdAt: 10_000 })] });
        const keys = [...old.map(({ key }) => key), 'young'];
        const left = async (): Promise<string[]> => {
          const { idempotency } = await store.load([], keys);
          return keys.filter((key) => idempotency.has(key));
        };
        let batches = 0;
        let before = keys.length;
        for (let rest = await left(); rest.length > 1; rest = await left(), batches++) {
          assert.deepEqual(rest, [...keys.slice(0, rest.length - 1), 'young']);
          assert.ok(batches === 0 || rest.length < before, `${rest.length} are left of ${before}`);
          before = rest.length;
          await commit({ expireBefore: 10_000 });
        }
        assert.deepEqual(await left(), ['young']);
        assert.ok(batches > 1);
      });
    });

    test('the position of a partition is that of the last batch, also if it is lower or of another topic', async () => {
      await commit({
        positions: [
          { partition: 0, topicId: 'topic-1', next: Number.MAX_SAFE_INTEGER },
          { partition: 1, topicId: 'topic-1', next: 10 },
        ],
      });
      await commit({ positions: [{ partition: 1, topicId: 'topic-2', next: 3 }] });
      assert.deepEqual(
        (await store.positions()).toSorted((a, b) => a.partition - b.partition),
        [
          { partition: 0, topicId: 'topic-1', next: Number.MAX_SAFE_INTEGER },
          { partition: 1, topicId: 'topic-2', next: 3 },
        ],
      );
    });

    const before: Changes = {
      orders: [order('ORD-1'), order('ORD-2'), order('ORD-3')],
      unanswered: [{ orderId: 'ORD-3', fingerprint: 'repeated', at: null }],
      outbox: [row(1), row(2), row(3), row(6)],
      idempotency: [record('taken back'), record('dropped'), record('old', { createdAt: 0 })],
      positions: [{ partition: 0, topicId: 'topic-1', next: 1 }],
    };
    /** A batch in which every part has something to do. */
    const full: Changes = {
      settled: [row(1)],
      unanswered: [{ orderId: 'ORD-1', fingerprint: 'a', at: null }],
      forgotten: [{ orderId: 'ORD-3', fingerprint: 'repeated' }],
      takenBack: [{ row: row(2, { idempotencyKey: 'taken back' }), state: order('ORD-2'), previous: null }],
      dropped: [row(6, { idempotencyKey: 'dropped' })],
      learned: [order('ORD-5')],
      orders: [order('ORD-3', { version: 2, status: 'confirmed' }), order('ORD-4')],
      outbox: [row(4), row(5, {}, 'ORD-7')],
      idempotency: [record('new')],
      positions: [
        { partition: 0, topicId: 'topic-1', next: 2 },
        { partition: 1, topicId: 'topic-1', next: 7 },
      ],
      expireBefore: 1,
    };
    const all = () =>
      everything(store, ['ORD-1', 'ORD-2', 'ORD-3', 'ORD-4', 'ORD-5'], ['taken back', 'dropped', 'old', 'new']);

    test('a batch is there after the store is opened again', async () => {
      await commit(before);
      await commit(full);
      const committed = await all();
      assert.deepEqual([...committed.orders.keys()].toSorted(), ['ORD-1', 'ORD-3', 'ORD-4', 'ORD-5']);
      assert.deepEqual([...committed.idempotency.keys()], ['new']);
      assert.deepEqual([...committed.unanswered.keys()], ['ORD-1']);
      await store.close();
      store = await open();
      await store.outbox();
      assert.deepEqual(await all(), committed);
    });

    test('a batch that fails half-way leaves nothing, and the next one is committed', async () => {
      await commit(before);
      const untouched = await all();
      const failing = { ...full, outbox: [row(4), row(4, { eventId: 'another' })] };
      await assert.rejects(commit(failing), { name: 'StoreError', code: 'STORE_UNAVAILABLE' });
      assert.deepEqual(await all(), untouched);
      await commit(full);
      assert.deepEqual(await outboxSeqs(), [3, 4, 5]);
    });

    test('a closed store commits no batch', async () => {
      await store.close();
      const late = batch({ outbox: [row(1)] });
      await assert.rejects(store.commit(late), { name: 'StoreError', code: 'STORE_UNAVAILABLE' });
      store = await open();
      assert.deepEqual(await outboxSeqs(), []);
    });
  });
};
