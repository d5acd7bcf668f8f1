import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSqliteConsumerDb } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import { StoreError } from '#service_common/store_error.ts';
import { anAppliedBatch, anOrder, applyNext } from '#tests/support/events.ts';
import { eventually } from '#tests/support/eventually.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createEventFeed } from './event_feed.ts';
import { createOrderWaiters } from './order_waiters.ts';
import { createViewWatch } from './view_watch.ts';

/** Two services on one view, as this one and the other one see it. */
const twoServices = (t: TestContext) => {
  const directory = tempDir();
  const [db, other] = [createSqliteConsumerDb({ directory }), createSqliteConsumerDb({ directory })];
  t.after(() => Promise.all([db.close(), other.close()]));
  let looks = 0;
  const counted = {
    ...db,
    commits: () => {
      looks += 1;
      return db.commits();
    },
  };
  return { db, other, watch: createViewWatch({ db: counted }), looks: () => looks };
};

const order = (orderId: string) =>
  anAppliedBatch({
    views: [{ orderId, version: 1, status: 'new', pendingSince: null }],
    orders: [anOrder(orderId)],
    history: [
      {
        orderId,
        type: 'ORDER_CREATED',
        version: 1,
        status: 'new',
        timestamp: 0,
        partition: 0,
        offset: 0,
        outcome: 'applied',
      },
    ],
  });

test('a request that waits hears what another service applies, and those of other orders go on waiting', async (t) => {
  const { db, other, watch } = twoServices(t);
  const waiters = createOrderWaiters({ limit: 10, db, watch });
  const [one, two, three] = ['ORD-1', 'ORD-1', 'ORD-2'].map((id) => waiters.enter(id, 30_000) ?? assert.fail());
  await sleep(50);
  await applyNext(other, order('ORD-1'));
  const began = performance.now();
  await Promise.all([one?.woken, two?.woken]);
  assert.ok(performance.now() - began < 2_000);
  assert.equal(waiters.size, 1);
  await applyNext(other, order('ORD-2'));
  await three?.woken;
});

test('a stream sends what another service applies', async (t) => {
  const { db, other, watch } = twoServices(t);
  const feed = createEventFeed({ db, watch, present: ({ orderId }) => orderId, limit: 2 });
  t.after(() => feed.close());
  const to = new PassThrough();
  let text = '';
  to.on('data', (chunk: Buffer) => (text += chunk.toString()));
  feed.subscribe(to, null, true);
  await eventually(() => assert.ok(feed.hasFlowSubscribers));
  for (const id of ['ORD-1', 'ORD-2']) {
    await applyNext(other, order(id));
    await eventually(() => assert.match(text, new RegExp(`data: "${id}"`)));
  }
});

test('nothing is looked at while no request waits and no stream is open', async (t) => {
  const { db, other, watch, looks } = twoServices(t);
  const waiters = createOrderWaiters({ limit: 10, db, watch });
  const feed = createEventFeed({ db, watch, present: () => null, limit: 2 });
  t.after(() => feed.close());
  const waiter = waiters.enter('ORD-1', 30_000);
  const to = new PassThrough();
  feed.subscribe(to, null, false);
  await eventually(() => assert.ok(looks() > 1));
  waiter?.leave();
  to.destroy();
  await eventually(() => assert.equal(feed.size, 0));
  await sleep(50);
  const before = looks();
  await applyNext(other, order('ORD-1'));
  await sleep(100);
  assert.equal(looks(), before);
});

test('a view that cannot be read for a moment is looked at again, and nothing is missed', async () => {
  let failures = 2;
  const commits = async (): Promise<number> => {
    if (failures-- > 0) throw new StoreError('STORE_UNAVAILABLE', 'the disk failed');
    return 1;
  };
  const watch = createViewWatch({ db: { commits } });
  let calls = 0;
  const unfollow = watch.follow(async () => {
    calls += 1;
    if (calls === 1) throw new StoreError('STORE_UNAVAILABLE', 'the disk failed');
  });
  await eventually(() => assert.equal(calls, 2));
  unfollow();
});
