import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { BrokerError, type ConsumeOptions } from '#kafka_common/broker.ts';
import { eventually } from '#tests/support/eventually.ts';
import { DELAYS } from '#order_service/consuming/consuming_state.ts';
import { anAppliedBatch, aStep, batchOf, created, statusUpdated } from '#tests/support/events.ts';
import { createRunnerPlace, NO_DELAYS, TOPIC } from '#tests/support/runner_place.ts';

let place: Awaited<ReturnType<typeof createRunnerPlace>>;

beforeEach(async () => {
  place = await createRunnerPlace();
});

afterEach(() => place.remove());

/** A broker whose calls of `consume` follow the script, one step a call. After it, a call consumes nothing until it is stopped. */
const scripted = (script: readonly ((options: ConsumeOptions) => Promise<void>)[]) => {
  const topic = batchOf(0, 0, []).topic;
  let call = 0;
  return {
    committed: async () => new Map<number, number>(),
    bounds: async () => new Map([[0, { start: 0, end: 0 }]]),
    consume: async (options: ConsumeOptions) => {
      await options.startAt(topic, [0]);
      const step = script[call++];
      if (step) return step(options);
      options.onAssigned?.([0]);
      return new Promise<void>((resolve) => options.signal.addEventListener('abort', () => resolve()));
    },
  };
};

const failsWith = (error: Error) => async (): Promise<never> => {
  throw error;
};

describe('a runner', () => {
  test('whose broker is lost tries again until it consumes, with one log line for each attempt', async () => {
    const lost = failsWith(new BrokerError('UNAVAILABLE', 'connection refused'));
    const attempts: number[] = [];
    const { runner, lines } = place.startRunner(scripted([lost, lost, lost]), {
      delays: { ...NO_DELAYS, reconnect: (attempt) => attempts.push(attempt) && 1 },
    });
    await eventually(() => assert.equal(runner.status().state, 'consuming'));
    assert.deepEqual(attempts, [1, 2, 3]);
    assert.equal(runner.status().attempt, 0);
    assert.deepEqual(
      lines.map(({ level, attempt, reason }) => [level, attempt, reason]),
      [
        ['warn', 1, 'connection refused'],
        ['warn', 2, 'connection refused'],
        ['warn', 3, 'connection refused'],
        ['info', undefined, undefined],
      ],
    );
  });

  test('whose broker is lost shows that in its status while it waits, and stops at once', async () => {
    const { runner } = place.startRunner(scripted([failsWith(new BrokerError('UNAVAILABLE', 'gone'))]), {
      delays: { ...NO_DELAYS, reconnect: () => 60_000 },
    });
    await eventually(() => assert.equal(runner.status().state, 'reconnecting'));
    assert.deepEqual([runner.status().attempt, runner.status().assigned], [1, []]);
    await runner.stop();
  });

  test('that the broker refuses says why, not that the broker cannot be reached', async () => {
    const denied = failsWith(new BrokerError('DENIED', 'a right on the topic is missing'));
    const { runner, lines } = place.startRunner(scripted([denied]), {
      delays: { ...NO_DELAYS, reconnect: () => 60_000 },
    });
    await eventually(() => assert.match(runner.status().reason ?? '', /refuses .*: a right on the topic is missing/));
    assert.equal(lines[0]?.level, 'error');
    await runner.stop();
  });

  test('whose member id another process took waits, and logs what to do', async () => {
    const fenced = failsWith(new BrokerError('FENCED', 'another member'));
    const { runner, lines } = place.startRunner(scripted([fenced]), { delays: { ...NO_DELAYS, fenced: 2 } });
    await eventually(() => assert.equal(runner.status().state, 'consuming'));
    assert.deepEqual([lines[0]?.level, lines[0]?.['delayMs']], ['error', 2]);
    assert.match(lines[0]?.msg ?? '', /CONSUMER_MEMBER_ID/);
  });

  test('that fails by a fault of the program tries again, and logs the error', async () => {
    const { runner, lines } = place.startRunner(scripted([failsWith(new TypeError('a fault'))]));
    await eventually(() => assert.equal(runner.status().state, 'consuming'));
    assert.partialDeepStrictEqual(lines[0], { level: 'error', err: { message: 'a fault' } });
  });

  test('skips records that the view already has, and its position never goes back', async () => {
    const events = [created('ORD-1'), statusUpdated('ORD-1', 2, 'shipped'), created('ORD-2')];
    const { runner } = place.startRunner(
      scripted([
        async (consumer) => {
          await consumer.onBatch(batchOf(0, 0, events.slice(0, 2)));
          await consumer.onBatch(batchOf(0, 0, events.slice(0, 1)));
          await consumer.onBatch(batchOf(0, 0, events));
          throw new BrokerError('UNAVAILABLE', 'gone');
        },
      ]),
    );
    await eventually(() => assert.equal(runner.status().state, 'consuming'));
    assert.deepEqual(runner.status().outcomes, { applied: 3, duplicate: 0, waiting: 0, conflict: 0 });
    assert.deepEqual(await place.db.positions(TOPIC), [{ partition: 0, topicId: 'topic-1', next: 3 }]);
  });

  test('whose position the log has lost goes on where the log resumes, even further back, and logs that', async () => {
    const { runner, lines } = place.startRunner(
      scripted([
        async (consumer) => {
          await consumer.onBatch(batchOf(0, 100, [created('ORD-1')]));
          consumer.onPositionLost?.({ partition: 0, wanted: 101, resumedAt: 7 });
          await consumer.onBatch(batchOf(0, 7, [created('ORD-2')]));
          throw new BrokerError('UNAVAILABLE', 'gone');
        },
      ]),
    );
    await eventually(() => assert.equal(runner.status().state, 'consuming'));
    assert.equal(runner.status().positionsLost, 1);
    assert.deepEqual([lines[0]?.level, lines[0]?.['wanted'], lines[0]?.['resumedAt']], ['error', 101, 7]);
    assert.equal((await place.db.order('ORD-2'))?.orderId, 'ORD-2');
    assert.deepEqual(await place.db.positions(TOPIC), [{ partition: 0, topicId: 'topic-1', next: 8 }]);
  });

  test('whose topic is deleted says so until it consumes again, and has no lag meanwhile', async () => {
    const missing = failsWith(new BrokerError('TOPIC_MISSING', 'topic does not exist'));
    let isThere = false;
    const { runner, lines } = place.startRunner(
      scripted([
        async (consumer) => {
          consumer.onAssigned?.([0]);
          await consumer.onBatch(batchOf(0, 0, [created('ORD-1')]));
          return missing();
        },
        ...Array.from({ length: 20 }, () => async () => (isThere ? Promise.reject(new Error('made')) : missing())),
      ]),
      { delays: { ...NO_DELAYS, topicMissing: 20 } },
    );
    await eventually(() => assert.match(runner.status().reason ?? '', /the topic was deleted/));
    assert.deepEqual(runner.status().lag, {});
    isThere = true;
    await eventually(() => assert.equal(runner.status().state, 'consuming'));
    assert.equal(runner.status().reason, null);
    assert.match(runner.status().topicChange?.what ?? '', /the topic was deleted/);
    assert.equal(lines.filter(({ level, msg }) => level === 'error' && msg.includes('was deleted')).length, 1);
  });

  test('whose topic changes begins again at once, and after a pause if it changes again at once', async () => {
    const changed = failsWith(new BrokerError('TOPIC_CHANGED', 'topic t has 8 partitions now, not 2'));
    const attempts: number[] = [];
    const { runner } = place.startRunner(scripted([changed, changed]), {
      delays: { ...NO_DELAYS, topicChanged: (attempt) => attempts.push(attempt) && 1 },
    });
    await eventually(() => assert.equal(runner.status().state, 'consuming'));
    assert.deepEqual(attempts, [1, 2]);
    assert.match(runner.status().topicChange?.what ?? '', /8 partitions/);
    assert.deepEqual([1, 2, 9].map(DELAYS.topicChanged), [0, 500, 500]);
  });

  test('whose partition has nothing new shows its lag too', async () => {
    await place.db.applyBatch(anAppliedBatch({ positions: [aStep({ topicId: 'topic-1', next: 3 })] }));
    const broker = { ...scripted([]), bounds: async () => new Map([[0, { start: 0, end: 5 }]]) };
    const { runner } = place.startRunner(broker);
    await eventually(() => assert.deepEqual(runner.status().lag, { 0: 2 }));
  });

  test('with more to read shows the number of unread records as lag', async () => {
    const { runner } = place.startRunner(
      scripted([
        async (consumer) => {
          await consumer.onBatch({ ...batchOf(0, 0, [created('ORD-1')]), end: 51 });
          await new Promise<void>((resolve) => consumer.signal.addEventListener('abort', () => resolve()));
        },
      ]),
    );
    await eventually(() => assert.deepEqual(runner.status().lag, { 0: 50 }));
  });
});

test('reconnecting is tried five times 2 s apart, then at least every 5 s', () => {
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 1_000].map((attempt) => DELAYS.reconnect(attempt)),
    [2_000, 2_000, 2_000, 2_000, 2_000, 4_000, 5_000, 5_000],
  );
  assert.deepEqual(
    [1, 2, 3, 6, 7, 1_000].map((failures) => DELAYS.store(failures)),
    [100, 200, 400, 3_200, 5_000, 5_000],
  );
});
