import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { type Answer, type CommandRequest, DONE, failed } from '#cart_service/requests.ts';
import { create, update } from '#tests/support/cart_requests.ts';
import { createWaitingRoom, type Waiting, type WaitingRoomOptions } from './waiting_room.ts';

const UNKNOWN = failed('KafkaTimeout', 'unknown', 'late');
const NOTHING_DONE = failed('KafkaBrokersUnavailable', 'not_created', 'down');
const REFUSED: Answer = { kind: 'refused', refusal: { code: 'OrderNotFound', detail: 'there is none' } };

/** A create that gives so many items. */
const createWith = (id: number, count: number): CommandRequest => {
  const items = Array.from({ length: count }, () => ({ itemId: 'ITEM-001', quantity: 1, price: 1 }));
  const draft = { orderId: `ORD-${id}`, numberOfItems: count, items, customerId: null, currency: null };
  return {
    ...create(id),
    command: { kind: 'create', orderId: `ORD-${id}`, draft, fingerprint: `${id}` },
  };
};

const roomOf = (options: Partial<WaitingRoomOptions> = {}) => {
  const room = createWaitingRoom({
    limit: 10,
    deadlineMs: 1_000,
    onLate: () => {},
    onDeadline: () => UNKNOWN,
    ...options,
  });
  const enter = (request: CommandRequest): Waiting => room.enter(request, () => {}) ?? assert.fail('the room is full');
  const isFullFor = (request: CommandRequest): boolean => room.enter(request, () => {}) === null;
  const empty = (): void => {
    for (const waiting of room) room.answer(waiting, DONE);
  };
  return { room, enter, isFullFor, empty };
};

describe('the items of all waiting creates', () => {
  test('are 100,000 at most', () => {
    const { enter, isFullFor, empty } = roomOf();
    enter(createWith(1, 60_000));
    assert.equal(isFullFor(createWith(2, 40_001)), true);
    enter(createWith(2, 40_000));
    assert.equal(isFullFor(createWith(3, 1)), true);
    empty();
  });

  test('do not count requests that give none', () => {
    const { enter, empty } = roomOf();
    enter(createWith(1, 100_000));
    enter(create(2));
    enter(update(3, 'confirmed'));
    empty();
  });

  test('count no more once a create has its answer', () => {
    const { room, enter, isFullFor, empty } = roomOf();
    const first = enter(createWith(1, 100_000));
    room.answer(first, DONE);
    enter(createWith(2, 100_000));
    assert.equal(isFullFor(createWith(3, 1)), true);
    empty();
  });
});

describe('another attempt at a request', () => {
  for (const [what, text, isDoubted] of [
    ['a success', DONE, false],
    ['a refusal', REFUSED, false],
    ['that nothing was done', NOTHING_DONE, false],
    ['`unknown`', UNKNOWN, true],
  ] as const) {
    test(`that is answered ${what} ${isDoubted ? 'puts' : 'does not put'} the first one in doubt`, () => {
      const { room, enter, empty } = roomOf();
      const [first, other] = [enter(create(1)), enter(create(1))];
      room.answer(other, text);
      assert.equal(room.isDoubted(first), isDoubted);
      empty();
    });
  }

  test('for which there is no room puts the first one in doubt', () => {
    const { room, enter, isFullFor, empty } = roomOf({ limit: 1 });
    const first = enter(create(1));
    assert.equal(isFullFor(create(1)), true);
    assert.equal(room.isDoubted(first), true);
    empty();
  });
});

/** Replaces the clock and the timers: a test fires them itself. */
const ownTimers = (t: TestContext) => {
  const clock = { now: 0 };
  const pending = new Map<number, { readonly ms: number; readonly fire: () => void }>();
  let ids = 0;
  t.mock.method(performance, 'now', () => clock.now);
  t.mock.method(globalThis, 'setTimeout', (fire: () => void, ms: number) => {
    pending.set(++ids, { ms, fire });
    return ids;
  });
  t.mock.method(globalThis, 'clearTimeout', (id: number) => pending.delete(id));
  const fire = (): void => {
    const [id, timer] = [...pending][0] ?? assert.fail('no timer is set');
    pending.delete(id);
    clock.now += timer.ms;
    timer.fire();
  };
  return { clock, fire, delays: () => [...pending.values()].map(({ ms }) => ms) };
};

describe('the timer of a waiting room', () => {
  test('is one, and waits for the first request until 5 % of its time is left, then for its deadline', (t) => {
    const { delays, fire, clock } = ownTimers(t);
    const { room, enter } = roomOf();
    enter(create(1));
    clock.now = 100;
    enter(create(2));
    assert.deepEqual(delays(), [950]);
    clock.now = 0;
    fire();
    assert.deepEqual(delays(), [50]);
    fire();
    assert.deepEqual([delays(), room.size], [[50], 1]);
  });

  test('is cleared with the last request, whichever answers it', (t) => {
    const { delays, fire } = ownTimers(t);
    const { room, enter } = roomOf();
    const [first, second] = [enter(create(1)), enter(create(2))];
    room.answer(first, DONE);
    assert.equal(delays().length, 1);
    room.answer(second, DONE);
    assert.deepEqual(delays(), []);
    const third = enter(create(3));
    fire();
    room.answer(third, DONE);
    assert.deepEqual([delays(), room.size], [[], 0]);
  });

  test('waits at least 1 ms, also for a request that has less time left', (t) => {
    const { delays, clock, fire } = ownTimers(t);
    const { enter } = roomOf();
    enter(create(1));
    clock.now = 49.5;
    fire();
    assert.deepEqual(delays(), [1]);
  });

  test('stays one if a request enters when the time of another one is over', (t) => {
    const { delays, clock } = ownTimers(t);
    const { room, enter } = roomOf();
    enter(create(1));
    clock.now = 1_001;
    enter(create(2));
    assert.deepEqual([room.size, delays()], [1, [950]]);
  });
});

describe('a full waiting room', () => {
  test('counts the requests that are late, too', (t) => {
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { enter, isFullFor } = roomOf({ limit: 2 });
    enter(create(1));
    now = 960;
    t.mock.timers.tick(960);
    enter(create(2));
    assert.equal(isFullFor(create(3)), true);
  });
});
