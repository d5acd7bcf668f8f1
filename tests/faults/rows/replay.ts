import assert from 'node:assert/strict';
import type { Broker, LogRecord, Message } from '#kafka_common/broker.ts';
import { directOrderId, historyOf, publishAll, toMessage } from '#tests/faults/direct_events.ts';
import type { Fault } from '#tests/faults/fault.ts';
import { readView, untilViewHasAll } from '#tests/faults/stored_view.ts';

const FAMILY = 4;
const ORDERS = 300;
const APPLIED_MS = 30_000;

/** The sequences in which the three events of an order arrive, by index. */
const ARRIVALS = [
  [2, 0, 1],
  [2, 1, 0],
  [1, 0, 2],
  [1, 2, 0],
] as const;

const replay: Fault = {
  name: 'replay',
  title: 'the whole log replayed twice; versions delivered as 3, 1, 2',
  rounds: { full: 5, short: 1 },
  on: { broker: 'kafka' },

  async run(stage, round) {
    const orderIds = Array.from({ length: ORDERS }, (_, n) => directOrderId(FAMILY, round * 1_000 + n));
    await publishAll(stage.broker, stage.topic, orderIds.flatMap(outOfOrder));
    await untilViewHasAll(stage, APPLIED_MS);
    assertAllArrived(orderIds, readView(stage.storeDir, stage.topic).orders);

    const whole = await distinctMessages(stage.broker, stage.topic);
    for (let time = 0; time < 2; time++) await publishAll(stage.broker, stage.topic, whole);
    stage.healed();
    await untilViewHasAll(stage, APPLIED_MS);
    assertAllArrived(orderIds, readView(stage.storeDir, stage.topic).orders);
    stage.note(`${whole.length} events replayed twice`);
  },
};

export const replayRows: readonly Fault[] = [replay];

const outOfOrder = (orderId: string, index: number): Message[] => {
  const messages = historyOf(orderId, ['confirmed', 'shipped']).map(toMessage);
  const arrival = ARRIVALS[index % ARRIVALS.length] ?? [];
  return arrival.flatMap((n) => messages.slice(n, n + 1));
};

const assertAllArrived = (orderIds: readonly string[], orders: ReadonlyMap<string, unknown>): void => {
  for (const orderId of orderIds) {
    assert.deepEqual(orders.get(orderId), { version: 3, status: 'shipped', isPending: false }, orderId);
  }
};

/** Each event of the log once: otherwise every round would also replay the replays before it. */
const distinctMessages = async (broker: Broker, topic: string): Promise<Message[]> => {
  const messages = new Map<string, Message>();
  for await (const { records } of broker.read(topic, new Map())) {
    for (const record of records) messages.set(String(record.value), messageOf(record));
  }
  return [...messages.values()];
};

const messageOf = ({ key, value, headers }: LogRecord): Message => ({
  key: String(key),
  value: String(value),
  headers: Object.fromEntries(headers.map(([name, content]) => [name, String(content)])),
});
