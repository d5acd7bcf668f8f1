import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LaneWork } from '#cart_service/publishing/batches/lane_work.ts';
import { createTopicQueues } from '#cart_service/publishing/waiting/topic_queues.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import { A_TOPIC, creation, waitingFor } from '#tests/support/cart_parts.ts';
import { create } from '#tests/support/cart_requests.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { createLanes } from './lanes.ts';

type Result = Awaited<ReturnType<LaneWork>>;

interface Batch {
  readonly kind: 'relay' | 'write';
  readonly partitions: readonly number[];
  readonly end: (result?: Partial<Result>) => Promise<void>;
  readonly fail: (error: Error) => Promise<void>;
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

const DONE: Result = { taken: true, sent: 1, trouble: null };
/** Two leaders: one of the partitions 0, 2 and 4, one of 1, 3 and 5. */
const leaderOf = (partition: number): number => partition % 2;

const scene = () => {
  const queues = createTopicQueues([]);
  const stop = new AbortController();
  const down = new Map<number, string>();
  const health: string[] = [];
  const batches: Batch[] = [];
  const refused: unknown[] = [];
  let idle = 0;
  const back: (() => void)[] = [];
  const { logger, lines } = createTestLog();
  const work =
    (kind: Batch['kind']): LaneWork =>
    (topic, share) => {
      assert.equal(topic, A_TOPIC);
      const { promise, resolve, reject } = Promise.withResolvers<Result>();
      batches.push({
        kind,
        partitions: share.map(({ partition }) => partition),
        end: (result) => {
          if (kind === 'write' && result?.taken !== false) for (const queue of share) queue.takeAll();
          resolve({ ...DONE, ...result });
          return turn().then(turn);
        },
        fail: (error) => {
          reject(error);
          return turn().then(turn);
        },
      });
      return promise;
    };
  const lanes = createLanes({
    queues,
    health: {
      whyDown: (leader) => down.get(leader),
      succeeded: (leader) => void health.push(`${leader} succeeded`),
      lastSuccess: () => 0,
      failed: (leader, reason, onBack) => {
        health.push(`${leader} failed: ${reason}`);
        down.set(leader, reason);
        back.push(onBack);
      },
      problem: null,
    },
    leaderOf,
    relay: work('relay'),
    writeBatch: work('write'),
    refuse: (waiting: Waiting, reason) => void refused.push([waiting.request.command.orderId, reason]),
    onIdle: () => (idle += 1),
    logger,
    signal: stop.signal,
  });
  const ask = (partition: number, id = 1): void => queues.all[partition]?.enqueue(waitingFor(create(id)));
  const start = (): Promise<void> => {
    lanes.schedule();
    return turn();
  };
  const leaderAnswers = (leader: number): Promise<void> => {
    down.delete(leader);
    back.pop()?.();
    return turn();
  };
  return { queues, stop, health, batches, refused, lines, lanes, ask, start, leaderAnswers, idle: () => idle };
};

const openScene = () => {
  const opened = scene();
  opened.queues.open(A_TOPIC, []);
  return opened;
};

const byNumber = (a: number, b: number): number => a - b;

const shares = (batches: readonly Batch[]): string[] =>
  batches.map(({ kind, partitions }) => `${kind} ${partitions.toSorted(byNumber).join()}`);

const endAll = async (batches: readonly Batch[]): Promise<void> => {
  for (const batch of batches) await batch.end();
};

describe('the lanes', () => {
  test('start nothing before the topic is open, and after the service stops', async () => {
    const { queues, stop, batches, ask, start, idle } = scene();
    await start();
    queues.open(A_TOPIC, []);
    ask(0);
    stop.abort();
    await start();
    assert.deepEqual([batches, idle()], [[], 0]);
  });

  test('are one for each leader, with all of its partitions that have work', async () => {
    const { batches, ask, start, lanes, idle } = openScene();
    for (const partition of [0, 1, 4]) ask(partition);
    await start();
    assert.deepEqual(shares(batches).toSorted(), ['write 0,4', 'write 1']);
    assert.deepEqual([lanes.isBusy(0), lanes.isBusy(1), lanes.isBusy(2), idle()], [true, true, false, 0]);
    await endAll(batches);
    assert.deepEqual([lanes.isBusy(0), lanes.isBusy(1)], [false, false]);
  });

  test('have one batch at a time: what comes meanwhile waits for its end', async () => {
    const { batches, ask, start, health } = openScene();
    ask(0);
    await start();
    ask(2);
    await start();
    assert.deepEqual(shares(batches), ['write 0']);
    await batches[0]?.end();
    assert.deepEqual([shares(batches), health], [['write 0', 'write 2'], ['0 succeeded']]);
  });

  test('call when they have no work', async () => {
    const { start, idle, ask, batches } = openScene();
    await start();
    assert.equal(idle(), 1);
    ask(0);
    await start();
    assert.equal(idle(), 1);
    await batches[0]?.end({ sent: 0 });
    assert.equal(idle(), 2);
  });

  test('publish what earlier batches left before anything newer', async () => {
    const { queues, batches, ask, start } = scene();
    queues.open(A_TOPIC, [creation(1)]);
    const partition = queues.queueOf('ORD-1')?.partition ?? assert.fail('no queue');
    const beside = (partition + 2) % 6;
    ask(partition);
    ask(beside);
    await start();
    assert.deepEqual(shares(batches), [`relay ${partition}`]);
    queues.all[partition]?.settled(new Set(queues.unsettled));
    await batches[0]?.end();
    assert.deepEqual(shares(batches).slice(1), [`write ${[partition, beside].toSorted(byNumber).join()}`]);
  });

  test('begin each time with another partition, so that none waits for ever', async () => {
    const { batches, ask, start } = openScene();
    const firsts: unknown[] = [];
    for (let n = 0; n < 6; n++) {
      for (const partition of [0, 2, 4]) ask(partition);
      await start();
      firsts.push(batches.at(-1)?.partitions[0]);
      await batches.at(-1)?.end({ sent: 0 });
    }
    assert.deepEqual(new Set(firsts), new Set([0, 2, 4]));
  });

  test('do not start again at once if nothing was taken', async () => {
    const { batches, ask, start, health } = openScene();
    ask(0);
    await start();
    await batches[0]?.end({ taken: false, sent: 0 });
    assert.deepEqual([batches.length, health], [1, []]);
    await start();
    assert.equal(batches.length, 2);
  });
});

describe('partitions that are set aside', () => {
  test('get no batch until what is decided about them is done; their leader goes on', async () => {
    const { queues, batches, ask, start, lanes } = openScene();
    const decided = Promise.withResolvers<void>();
    ask(0);
    ask(2);
    await start();
    const aside = queues.all.filter(({ partition }) => partition === 0);
    await batches[0]?.end({ aside: { queues: aside, until: decided.promise } });
    ask(0);
    ask(2);
    await start();
    assert.deepEqual(shares(batches), ['write 0,2', 'write 2']);
    await batches[1]?.end();
    let isQuiet = false;
    const quiet = lanes.untilQuiet().then(() => (isQuiet = true));
    await turn();
    assert.equal(isQuiet, false);
    decided.resolve();
    await turn();
    await turn();
    assert.deepEqual(shares(batches), ['write 0,2', 'write 2', 'write 0']);
    await batches[2]?.end();
    await quiet;
  });
});

describe('a leader that does not take events', () => {
  test('is down: what waits for it is refused, and nothing starts until it answers', async () => {
    const { batches, ask, start, refused, health, leaderAnswers } = openScene();
    ask(0);
    ask(1, 5);
    await start();
    ask(2, 2);
    ask(3, 6);
    const [first] = batches.filter(({ partitions }) => partitions.includes(0));
    await first?.end({ trouble: { with: 'leader', reason: 'dead' } });
    assert.deepEqual([refused, health], [[['ORD-2', 'dead']], ['0 failed: dead']]);
    ask(4);
    await start();
    assert.equal(batches.length, 2);
    await leaderAnswers(0);
    assert.deepEqual(shares(batches).slice(2), ['write 4']);
  });

  test('is no trouble of the topic, and a topic that changed is no trouble of a leader', async () => {
    const { queues, batches, ask, start, health, refused } = openScene();
    ask(0);
    await start();
    ask(2);
    await batches[0]?.end({ trouble: { with: 'topic', reason: 'made again' } });
    assert.deepEqual([queues.topic, queues.whyClosed, health, refused], [null, 'made again', [], []]);
  });

  test('is also one whose batch fails by a fault of this service, which is logged', async () => {
    const { batches, ask, start, lines, health, lanes, idle } = openScene();
    ask(0);
    await start();
    await batches[0]?.fail(new Error('a fault'));
    assert.deepEqual(
      lines.map(({ level, msg, err }) => [level, msg, (err as Error).message]),
      [['error', 'a batch failed by a fault of this service', 'a fault']],
    );
    assert.deepEqual(health, ['0 failed: a fault of the Cart Service, which was logged']);
    assert.equal(lanes.isBusy(0), false);
    await lanes.untilQuiet();
    await turn();
    assert.equal(idle(), 1);
  });
});
