import assert from 'node:assert/strict';
import { PassThrough, Writable } from 'node:stream';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import type { ConsumerDb, HistoryEvent } from '#order_service/consumer_db.ts';
import { createEventFeed, type EventFeed } from './event_feed.ts';
import { createViewWatch } from './view_watch.ts';
import { createRunnerPlace } from '#tests/support/runner_place.ts';
import { anAppliedBatch, applyNext } from '#tests/support/events.ts';

let place: Awaited<ReturnType<typeof createRunnerPlace>>;
let db: ConsumerDb;
let feed: EventFeed;

beforeEach(async () => {
  place = await createRunnerPlace();
  ({ db } = place);
  feed = createEventFeed({ db, watch: createViewWatch({ db }), present: ({ orderId }) => ({ orderId }), limit: 2 });
});

afterEach(async () => {
  feed.close();
  await place.remove();
});

const event = (n: number): HistoryEvent => ({
  orderId: `ORD-${n}`,
  type: 'ORDER_CREATED',
  version: 1,
  status: 'new',
  timestamp: 0,
  partition: 0,
  offset: n,
  outcome: 'applied',
});

const happen = async (from: number, to = from): Promise<void> => {
  const history = Array.from({ length: to - from + 1 }, (_, n) => event(from + n));
  await applyNext(db, anAppliedBatch({ history }));
  feed.changed();
};

/** A subscriber. `got` gives the sequences of its events, and the names of its other messages. */
const listener = () => {
  const to = new PassThrough();
  let text = '';
  to.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const got = (): string[] =>
    text
      .split('\n\n')
      .filter((block) => block.startsWith('event: '))
      .map(
        (block) =>
          /^event: order\nid: [0-9a-f]{16}-(\d+)-/.exec(block)?.[1] ?? /^event: (\w+)$/m.exec(block)?.[1] ?? '',
      );
  return { to, got, text: () => text };
};

/** The id of the test's event with this number in a view. */
const idIn = (viewId: string, n: number): string => `${viewId}-${n}-0-${n}`;

const idsUpTo = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => String(from + n));

describe('the feed of events', () => {
  test('sends new events as Server-Sent Events, under ids of the view', async () => {
    await happen(1, 3);
    const { to, got, text } = listener();
    feed.subscribe(to, null, true);
    await eventually(() => assert.ok(feed.hasFlowSubscribers));
    await happen(4);
    await eventually(() => assert.deepEqual(got(), ['4']));
    assert.equal(text(), `event: order\nid: ${idIn(db.viewId, 4)}\ndata: {"orderId":"ORD-4"}\n\n`);
  });

  test('goes on after the last event that a subscriber has, without gap or repetition while more events come', async () => {
    await happen(1, 1_200);
    const { to, got } = listener();
    feed.subscribe(to, idIn(db.viewId, 7), false);
    for (let n = 1_201; n <= 1_230; n++) await happen(n);
    await eventually(() => assert.equal(got().at(-1), '1230'));
    assert.deepEqual(got(), idsUpTo(8, 1_230));
  });

  test('sends one subscriber what it missed while others are live, and each gets each event once', async () => {
    const first = listener();
    feed.subscribe(first.to, null, true);
    await eventually(() => assert.ok(feed.hasFlowSubscribers));
    await happen(1, 600);
    const second = listener();
    feed.subscribe(second.to, '0', false);
    await happen(601, 700);
    await eventually(() => assert.deepEqual([first.got().length, second.got().length], [700, 700]));
    assert.deepEqual(first.got(), idsUpTo(1, 700));
    assert.deepEqual(second.got(), idsUpTo(1, 700));
  });

  for (const [what, after] of [
    ['has missed more than 10,000 events', () => '0'],
    ['is ahead of the view, which was restored from an older copy', () => idIn(db.viewId, 999_999)],
    ['had another event under this number, before the view was restored', () => `${db.viewId}-9999-1-7`],
    ['listened to a view that was built again since', () => idIn('0123456789abcdef', 9_999)],
    ['has an id from before ids named the view', () => '9999'],
  ] as const) {
    test(`sends a reset to a subscriber that ${what}, and then new events`, async () => {
      await happen(1, 10_001);
      const { to, got } = listener();
      feed.subscribe(to, after(), false);
      await eventually(() => assert.deepEqual(got(), ['reset']));
      await happen(10_002);
      await eventually(() => assert.deepEqual(got(), ['reset', '10002']));
    });
  }

  test('sends the flow to the subscribers that want it', async () => {
    const [one, other] = [listener(), listener()];
    feed.subscribe(one.to, null, true);
    feed.subscribe(other.to, null, false);
    await eventually(() => assert.ok(feed.hasFlowSubscribers));
    feed.sendFlow({ lag: 0 });
    await eventually(() => assert.deepEqual(one.got(), ['flow']));
    assert.deepEqual(other.got(), []);
  });

  test('drops a subscriber that does not read, and the others go on', async () => {
    const stalled = new Writable({ write: () => {} });
    const { to, got } = listener();
    feed.subscribe(stalled, null, true);
    feed.subscribe(to, null, true);
    await eventually(() => assert.ok(feed.hasFlowSubscribers));
    let sent = 0;
    while (!stalled.destroyed) {
      await happen(sent + 1, sent + 500);
      sent += 500;
      await eventually(() => assert.equal(got().at(-1), String(sent)));
      assert.ok(sent < 100_000, 'it was never dropped');
    }
    await eventually(() => assert.equal(feed.size, 1));
  });

  test('takes a bounded number of subscribers, and one more when another has left', async () => {
    const listeners = [listener(), listener(), listener()];
    assert.deepEqual(
      listeners.map(({ to }) => feed.subscribe(to, null, false)),
      [true, true, false],
    );
    listeners[0]?.to.destroy();
    await eventually(() => assert.equal(feed.size, 1));
    assert.equal(feed.subscribe(listener().to, null, false), true);
  });

  test('ends all streams when it is closed', async () => {
    const { to } = listener();
    feed.subscribe(to, null, false);
    feed.close();
    await eventually(() => assert.ok(to.writableEnded));
    assert.equal(feed.subscribe(listener().to, null, false), false);
  });
});
