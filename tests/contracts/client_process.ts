/** A client of a broker in a process of its own, to be killed: takes its orders as JSON and reports what it does. */
import type { Broker } from '#kafka_common/broker.ts';
import { messagesOf, publishAll, type ReadMessage } from './broker_scene.ts';
import { type BrokerAddress, openBroker } from './broker_under_test.ts';

export interface ClientOrders {
  /** `publish` without end, or `consume` without ever getting done with a batch. */
  readonly task: 'publish' | 'consume';
  readonly topic: string;
  readonly group: string;
  readonly memberId: string;
}

export type ClientReport =
  | { readonly kind: 'assigned'; readonly partitions: readonly number[] }
  | { readonly kind: 'in_hand' | 'acknowledged'; readonly messages: readonly ReadMessage[] };

const report = (message: ClientReport): void => void process.send?.(message);

const publish = async (broker: Broker, { topic: name }: ClientOrders): Promise<void> => {
  const topic = await broker.ensureTopic(name, 1);
  for (let i = 0; ; i++) {
    const batch = ['a', 'b', 'c'].map((key) => ({ key, value: `${key}-${i}`, headers: {} }));
    const positions = await publishAll(broker, topic, batch);
    const acknowledged = batch.map(({ key, value }, n) => ({ partition: 0, offset: -1, ...positions[n], key, value }));
    report({ kind: 'acknowledged', messages: acknowledged });
    await new Promise(setImmediate);
  }
};

const consume = (broker: Broker, { topic, group, memberId }: ClientOrders): Promise<void> =>
  broker.consume({
    topic,
    group,
    memberId,
    startAt: () => broker.committed(group, topic),
    onAssigned: (partitions) => report({ kind: 'assigned', partitions }),
    onBatch: (batch) => {
      report({ kind: 'in_hand', messages: messagesOf(batch) });
      return new Promise(() => {});
    },
    signal: new AbortController().signal,
  });

const orders: ClientOrders & { address: BrokerAddress } = JSON.parse(process.argv[2] ?? '');
const client = openBroker(orders.address);
// A parent that is gone must not leave this behind.
process.once('disconnect', () => process.exit());
await (orders.task === 'publish' ? publish : consume)(client, orders);
