import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Fate } from '#kafka_common/broker.ts';
import type { RoutedMessage } from './fates.ts';
import { createLane } from './lane.ts';
import type { Sender } from './sender.ts';

const TOPIC = { name: 'topic', id: 'id', partitions: 2 };

const routed = (value: string, partition = 0): RoutedMessage => ({
  message: { key: 'key', value, headers: {} },
  partition,
});

const refusal: Fate = { kind: 'not_written', detail: 'MESSAGE_TOO_LARGE', fault: 'message' };

/** Refuses a partition's messages together if their values have more characters than `limit`. */
const limited = (limit: number) => {
  const requests: string[][] = [];
  const sender: Sender = {
    // oxlint-disable-next-line require-await -- the seam is asynchronous
    async send(_topic, messages) {
      requests.push(messages.map(({ message }) => message.value));
      const sizes = new Map<number, number>();
      for (const { partition, message } of messages)
        sizes.set(partition, (sizes.get(partition) ?? 0) + message.value.length);
      const fates = messages.map(({ partition, message }): Fate =>
        (sizes.get(partition) ?? 0) > limit
          ? refusal
          : { kind: 'acknowledged', partition, offset: message.value.length },
      );
      return { fates, isMessageFault: fates.includes(refusal) };
    },
    close: async () => {},
  };
  return { lane: createLane(sender), requests };
};

describe('a lane whose broker refuses a record batch', () => {
  test('sends smaller ones until only the messages are refused that are too large themselves', async () => {
    const { lane } = limited(250);
    const values = [100, 100, 2_000, 100, 100, 251, 250].map((length) => 'x'.repeat(length));
    const fates = await lane.publish(
      TOPIC,
      values.map((value) => routed(value)),
      1_000,
    );
    assert.deepEqual(
      fates.map(({ kind }, n) => [values[n]?.length, kind]),
      values.map((value) => [value.length, value.length > 250 ? 'not_written' : 'acknowledged']),
    );
  });

  test('does not send again what another partition was refused for', async () => {
    const { lane, requests } = limited(100);
    await lane.publish(TOPIC, [routed('a'.repeat(101)), routed('b', 1), routed('c', 1)], 1_000);
    assert.deepEqual(requests, [['a'.repeat(101), 'b', 'c']]);
  });

  test('sends no less at once from then on, if only a single message was refused', async () => {
    const { lane, requests } = limited(100);
    await lane.publish(TOPIC, [routed('a'.repeat(101))], 1_000);
    await lane.publish(TOPIC, [routed('b'), routed('c')], 1_000);
    assert.deepEqual(requests.slice(1), [['b', 'c']]);
  });

  test('sends less at once from then on, and slowly more', async () => {
    const { lane, requests } = limited(1_000);
    const many = Array.from({ length: 40 }, () => routed('x'.repeat(100)));
    const first = await lane.publish(TOPIC, many, 1_000);
    const asked = requests.length;
    const second = await lane.publish(TOPIC, many, 1_000);
    for (const { kind } of [...first, ...second]) assert.equal(kind, 'acknowledged');
    assert.ok(requests.length - asked <= 12, `${requests.length - asked} requests for 40 messages of which 10 fit`);
    for (let n = 0; n < 100; n++) await lane.publish(TOPIC, many.slice(0, 5), 1_000);
    assert.equal(requests.at(-1)?.length, 5);
  });
});

test('a lane sends nothing after a message whose fate is unknown', async () => {
  const sent: number[] = [];
  const lane = createLane({
    // oxlint-disable-next-line require-await -- the seam is asynchronous
    async send(_topic, messages) {
      sent.push(messages.length);
      return { fates: messages.map((): Fate => ({ kind: 'unknown', detail: 'no answer' })), isMessageFault: false };
    },
    close: async () => {},
  });
  const fates = await lane.publish(TOPIC, [routed('x'.repeat(600_000)), routed('x'.repeat(600_000))], 1_000);
  assert.deepEqual(
    fates.map(({ kind }) => kind),
    ['unknown', 'not_written'],
  );
  assert.deepEqual(sent, [1]);
});

/** A lane whose sends are recorded, and have the fates and the time that a test gives. */
const recorded = (fatesOf: (chunk: number) => readonly Fate[], takesMs = 0) => {
  const sends: { readonly count: number; readonly deadline: number }[] = [];
  let closed = 0;
  const lane = createLane({
    async send(_topic, messages, deadline) {
      sends.push({ count: messages.length, deadline });
      if (takesMs > 0) await sleep(takesMs);
      return { fates: fatesOf(sends.length), isMessageFault: false };
    },
    close: () => {
      closed += 1;
      return Promise.resolve();
    },
  });
  return { lane, sends, closed: () => closed };
};

const acknowledged: Fate = { kind: 'acknowledged', partition: 0, offset: 0 };
const unknown: Fate = { kind: 'unknown', detail: 'no answer' };

describe('a lane', () => {
  test('says of a message that it did not send why', async () => {
    const { lane } = recorded(() => [unknown]);
    const [, second] = await lane.publish(TOPIC, [routed('x'.repeat(600_000)), routed('x'.repeat(600_000))], 1_000);
    assert.deepEqual(second, {
      kind: 'not_written',
      detail: 'not sent, because the fate of an earlier message is unknown',
    });
  });

  test('sends nothing more if the fate of one message of several is unknown', async () => {
    const { lane, sends } = recorded(() => [acknowledged, unknown]);
    const large = routed('x'.repeat(600_000));
    const fates = await lane.publish(TOPIC, [routed('a', 1), large, large], 1_000);
    assert.deepEqual(
      fates.map(({ kind }) => kind),
      ['acknowledged', 'unknown', 'not_written'],
    );
    assert.equal(sends.length, 1);
  });

  test('sends at most 1 MB to a partition at once, however often it succeeds', async () => {
    const { lane, sends } = recorded(() => [acknowledged, acknowledged]);
    const half = routed('x'.repeat(600_000));
    for (let n = 0; n < 10; n++) await lane.publish(TOPIC, [half, half], 1_000);
    assert.ok(sends.every(({ count }) => count === 1));
  });

  test('gives each call its own deadline, and one call waits for the other', async () => {
    const { lane, sends } = recorded(() => [acknowledged], 20);
    const started = performance.now();
    await Promise.all([5_000, 9_000].map((timeoutMs) => lane.publish(TOPIC, [routed('a')], timeoutMs)));
    const [first, second] = sends.map(({ deadline }) => deadline - started);
    assert.ok(first !== undefined && first >= 5_000 && first < 6_000);
    assert.ok(second !== undefined && second >= 9_000 && second < 10_000);
  });

  test('waits for what is under way before it closes its sender', async () => {
    const { lane, sends, closed } = recorded(() => [acknowledged], 20);
    let fates: readonly Fate[] = [];
    void lane.publish(TOPIC, [routed('a')], 1_000).then((given) => (fates = given));
    await lane.close();
    assert.deepEqual([sends.length, fates, closed()], [1, [acknowledged], 1]);
  });
});
