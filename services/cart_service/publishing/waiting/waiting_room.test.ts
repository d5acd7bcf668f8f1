import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { type Answer, DONE, failed, type CommandRequest } from '#cart_service/requests.ts';
import { createWaitingRoom, type Waiting } from './waiting_room.ts';

const DEADLINE_MS = 1_000;
const LATE = failed('KafkaTimeout', 'unknown', 'late');

const request = (n: number): CommandRequest => ({
  command: { kind: 'update', orderId: `ORD-${n}`, status: 'confirmed', fingerprint: `f${n}` },
  idempotencyKey: null,
  traceparent: '',
});

/** Lets a test move the clock and the timers. */
const stopTime = (t: Pick<TestContext, 'mock'>) => {
  let now = 1_000_000;
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(performance, 'now', () => now);
  return {
    pass(ms: number): void {
      // In steps of 1 ms, so that timers set by other timers fire too.
      for (let passed = 0; passed < ms; passed++) {
        now += 1;
        t.mock.timers.tick(1);
      }
    },
  };
};

const createRoom = (limit = 10, onDeadline: (waiting: Waiting) => Answer = () => LATE) => {
  const room = createWaitingRoom({ limit, deadlineMs: DEADLINE_MS, onLate: () => {}, onDeadline });
  const answers = new Map<number, Answer[]>();
  const enter = (n: number): Waiting | null =>
    room.enter(request(n), (answer) => answers.set(n, [...(answers.get(n) ?? []), answer]));
  return { room, answers, enter };
};

const entered = (waiting: Waiting | null): Waiting => waiting ?? assert.fail('the room is full');

describe('a waiting room', () => {
  test('takes no request while it is full, until one is answered', () => {
    const { room, enter } = createRoom(2);
    const first = entered(enter(1));
    entered(enter(2));
    assert.equal(enter(3), null);
    room.answer(first, DONE);
    entered(enter(3));
    assert.equal(room.size, 2);
    for (const waiting of room) room.answer(waiting, DONE);
  });

  test('answers an expired request when another one enters, even if no timer fires', (t) => {
    let now = 0;
    t.mock.method(performance, 'now', () => now);
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const { room, enter, answers } = createRoom(1);
    enter(1);
    now = DEADLINE_MS;
    assert.equal(enter(2), null);
    now = DEADLINE_MS + 1;
    assert.ok(enter(3) !== null);
    assert.deepEqual(answers.get(1), [LATE]);
    assert.equal(room.size, 1);
  });

  test('gives each request its first answer, and no other', () => {
    const { room, enter, answers } = createRoom();
    const waiting = entered(enter(1));
    assert.deepEqual([waiting.answered, room.size], [false, 1]);
    room.answer(waiting, DONE);
    room.answer(waiting, LATE);
    assert.deepEqual([waiting.answered, room.size], [true, 0]);
    assert.deepEqual(answers.get(1), [DONE]);
  });

  test('lists its requests in order of arrival', () => {
    const { room, enter } = createRoom();
    const [first, second, third] = [1, 2, 3].map((n) => entered(enter(n)));
    if (second) room.answer(second, DONE);
    assert.deepEqual([...room], [first, third]);
    for (const waiting of room) room.answer(waiting, DONE);
    assert.equal(room.size, 0);
  });

  test('answers each request at its own deadline, and not before', (t) => {
    const time = stopTime(t);
    const { room, enter, answers } = createRoom();
    enter(1);
    time.pass(600);
    enter(2);
    time.pass(399);
    assert.deepEqual([...answers.keys()], []);
    time.pass(1);
    assert.deepEqual([...answers.keys()], [1]);
    time.pass(599);
    assert.deepEqual([...answers.keys()], [1]);
    time.pass(1);
    assert.deepEqual(
      [...answers.entries()],
      [1, 2].map((n) => [n, [LATE]]),
    );
    assert.equal(room.size, 0);
  });

  test('gets the answer at the deadline from what is known by then', (t) => {
    const time = stopTime(t);
    const { room, enter, answers } = createRoom(10, ({ stored }) => (stored ? LATE : DONE));
    enter(1);
    room.markStored(entered(enter(2)));
    time.pass(DEADLINE_MS);
    assert.deepEqual([...answers.values()], [[DONE], [LATE]]);
  });

  test('calls once for each request that still waits when 5 % of its time is left, unless it is answered', (t) => {
    const time = stopTime(t);
    const late: string[] = [];
    const room = createWaitingRoom({
      limit: 10,
      deadlineMs: DEADLINE_MS,
      onLate: ({ request: { command } }) => late.push(command.orderId),
      onDeadline: () => LATE,
    });
    const [first, second] = [1, 2].map((n) => entered(room.enter(request(n), () => {})));
    time.pass(500);
    entered(room.enter(request(3), () => {}));
    if (second) room.answer(second, DONE);
    time.pass(449);
    assert.deepEqual(late, []);
    time.pass(1);
    assert.deepEqual([late, room.size, first?.answered], [['ORD-1'], 2, false]);
    time.pass(500);
    assert.deepEqual([late, room.size], [['ORD-1', 'ORD-3'], 1]);
    time.pass(50);
    assert.equal(room.size, 0);
  });

  test('knows the other attempts at a request: by its key, and by what it asks for', () => {
    const { room } = createRoom();
    const enter = (fingerprint: string, idempotencyKey: string | null, kind: 'create' | 'update'): Waiting => {
      const command = {
        kind,
        orderId: 'ORD-1',
        fingerprint,
        draft: { items: null },
      } as unknown as CommandRequest['command'];
      return entered(room.enter({ command, idempotencyKey, traceparent: '' }, () => {}));
    };
    const alike = [
      [enter('a', null, 'update'), enter('a', null, 'update')],
      [enter('b', 'k', 'update'), enter('c', 'k', 'update')],
      [enter('d', 'l', 'create'), enter('d', 'm', 'create')],
    ] as const;
    const alone = [enter('e', null, 'update'), enter('e', 'n', 'update')];
    for (const [one, other] of alike) {
      assert.deepEqual([room.hasOtherAttempts(one), room.isDoubted(one)], [true, false]);
      room.answer(other, LATE);
      assert.deepEqual([room.hasOtherAttempts(one), room.isDoubted(one)], [false, true]);
    }
    for (const each of alone) assert.equal(room.hasOtherAttempts(each), false);
    for (const waiting of room) room.answer(waiting, DONE);
  });

  test('knows of an attempt that was stored and answered while another one waited', () => {
    const { room, enter } = createRoom();
    const [one, other] = [entered(enter(1)), entered(enter(1))];
    room.markStored(other);
    room.answer(other, DONE);
    assert.equal(room.hasOtherAttempts(one), true);
    room.answer(one, DONE);
    const later = entered(enter(1));
    assert.equal(room.hasOtherAttempts(later), false);
    room.answer(later, DONE);
  });

  test('gets no answer for a request that has one', (t) => {
    const time = stopTime(t);
    const onDeadline = t.mock.fn(() => LATE);
    const { room, enter } = createRoom(10, onDeadline);
    room.answer(entered(enter(1)), DONE);
    time.pass(2 * DEADLINE_MS);
    assert.equal(onDeadline.mock.callCount(), 0);
  });

  test('keeps the deadline of a request that enters when another one expires', (t) => {
    const time = stopTime(t);
    const { room, answers, enter } = createRoom();
    room.enter(request(1), () => enter(2));
    time.pass(DEADLINE_MS);
    assert.equal(room.size, 1);
    time.pass(DEADLINE_MS);
    assert.deepEqual([...answers.entries()], [[2, [LATE]]]);
  });

  test('answers every request exactly once and in time, whatever happens', (t) => {
    const time = stopTime(t);
    const step = fc.oneof(
      fc.constant('enter' as const),
      fc.record({ answer: fc.nat() }),
      fc.record({ pass: fc.nat({ max: 700 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const limit = 4;
        const { room, answers, enter } = createRoom(limit);
        const entries: { waiting: Waiting; n: number }[] = [];
        for (const each of steps) {
          if (each === 'enter') {
            const size = room.size;
            const waiting = enter(entries.length);
            assert.equal(waiting === null, size === limit);
            if (waiting) entries.push({ waiting, n: entries.length });
          } else if ('answer' in each) {
            const chosen = entries[each.answer % Math.max(1, entries.length)];
            if (chosen) room.answer(chosen.waiting, DONE);
          } else time.pass(each.pass);
          for (const { waiting, n } of entries) {
            assert.equal(answers.get(n)?.length ?? 0, waiting.answered ? 1 : 0);
            assert.ok(waiting.answered || waiting.deadline > performance.now());
          }
        }
        time.pass(DEADLINE_MS);
        assert.deepEqual([room.size, answers.size], [0, entries.length]);
      }),
      { numRuns: 200 },
    );
  });
});
