import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { StoreError } from '#service_common/store_error.ts';
import { brokerContract } from './broker_contract.ts';
import { createScene, message, messages, untilAssigned, untilHandled } from './broker_scene.ts';
import { publishAll } from './messages.ts';
import type { BrokerAddress } from './broker_under_test.ts';

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'order-events-broker-'));
const remove = (folder: string): void => rmSync(folder, { recursive: true, force: true });

/** For the lock that clients of the same file take all the time. */
const LOCK_WAIT_MS = 10_000;

const openFile = (address: BrokerAddress, name: string): DatabaseSync => {
  assert(address.kind === 'embedded');
  return new DatabaseSync(join(address.directory, name), { timeout: LOCK_WAIT_MS });
};

brokerContract(
  'the embedded broker',
  async () => {
    const directory = newFolder();
    return { address: { kind: 'embedded', directory }, stop: async () => remove(directory) };
  },
  {
    takeoverMs: 5_000,
    deleteTopic: async (address, name) => {
      const log = openFile(address, 'broker.sqlite');
      log.prepare('DELETE FROM records WHERE topic = (SELECT number FROM topics WHERE name = ?)').run(name);
      log.prepare('DELETE FROM topics WHERE name = ?').run(name);
      log.close();
    },
  },
);

/** A broker of its own for one test. */
const createOwnScene = (t: TestContext) => {
  const directory = newFolder();
  const address: BrokerAddress = { kind: 'embedded', directory };
  const scene = createScene(t, address);
  t.after(() => remove(directory));
  return { directory, address, ...scene };
};

describe('the embedded broker, where it differs from Kafka', () => {
  test('messages published while another process holds the log are not written, and later ones are', async (t) => {
    const scene = createOwnScene(t);
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const other = openFile(scene.address, 'broker.sqlite');
    other.exec('BEGIN IMMEDIATE');
    const fates = await broker.publish(topic, messages(2), 200);
    assert.deepEqual(
      fates,
      [0, 1].map(() => ({ kind: 'not_written', detail: 'database is locked' })),
    );
    other.close();
    assert.deepEqual(await publishAll(broker, topic, messages(1)), [{ partition: 0, offset: 0 }]);
  });

  test('messages published while another process holds the log for a moment are written in order', async (t) => {
    const scene = createOwnScene(t);
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const other = openFile(scene.address, 'broker.sqlite');
    other.exec('BEGIN IMMEDIATE');
    const publishing = Promise.all([publishAll(broker, topic, messages(2)), publishAll(broker, topic, messages(1))]);
    // Longer than one statement waits for the lock.
    await setTimeout(300);
    other.close();
    const positions = (await publishing).flat();
    assert.deepEqual(
      positions.map(({ offset }) => offset),
      [0, 1, 2],
    );
  });

  test('a member that was taken for dead begins no batch of a partition that is now another member’s', async (t) => {
    const scene = createOwnScene(t);
    const broker = scene.open();
    const topic = await scene.topic(broker);
    const member = scene.member(broker, topic);
    await untilAssigned(member, [0]);
    const groups = openFile(scene.address, 'broker_groups.sqlite');
    groups.exec(`
      UPDATE members SET member_id = 'other', incarnation = 'other incarnation';
      UPDATE partitions SET owner = 'other incarnation'`);
    await publishAll(broker, topic, messages(3));
    await untilAssigned(member, []);
    assert.equal(member.handled.length, 0);
    groups.exec("DELETE FROM members WHERE member_id = 'other'");
    groups.close();
    await untilHandled(member, 3);
  });

  test('records carry the time of the clock that was passed in', async (t) => {
    const { directory } = createOwnScene(t);
    const broker = createEmbeddedBroker({ directory, clock: () => 1_768_737_600_000 });
    await publishAll(broker, await broker.ensureTopic('topic', 1), [message('key')]);
    const [batch] = await Array.fromAsync(broker.read('topic', new Map()));
    await broker.close();
    assert.equal(batch?.records[0]?.timestamp, 1_768_737_600_000);
  });

  for (const name of ['broker.sqlite', 'broker_groups.sqlite']) {
    test(`another program's ${name} is refused, and left as it is`, (t) => {
      const { directory, address } = createOwnScene(t);
      const foreign = openFile(address, name);
      foreign.exec('CREATE TABLE precious (id INTEGER)');
      foreign.close();
      const before = readFileSync(join(directory, name));
      assert.throws(
        () => createEmbeddedBroker({ directory }),
        (error: unknown) => error instanceof StoreError && error.code === 'STORE_REFUSED',
      );
      assert.deepEqual(readFileSync(join(directory, name)), before);
    });
  }
});
