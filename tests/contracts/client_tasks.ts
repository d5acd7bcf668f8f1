import type { Broker } from '#kafka_common/broker.ts';
import { messagesOf, publishAll, type ReadMessage } from './messages.ts';

/** What a client of a broker does until the test kills it. */
export interface ClientTask {
  /** `publish` without end, or `consume` without ever finishing a batch. */
  readonly kind: 'publish' | 'consume';
  readonly topic: string;
  readonly group: string;
  readonly memberId: string;
}

export type ClientReport =
  | { readonly kind: 'assigned'; readonly partitions: readonly number[] }
  | { readonly kind: 'in_hand' | 'acknowledged'; readonly messages: readonly ReadMessage[] };

type Report = (report: ClientReport) => void;

export const runClient = (broker: Broker, task: ClientTask, report: Report): Promise<void> =>
  (task.kind === 'publish' ? publish : consume)(broker, task, report);

const publish = async (broker: Broker, { topic: name }: ClientTask, report: Report): Promise<void> => {
  const topic = await broker.ensureTopic(name, 1);
  for (let i = 0; ; i++) {
    const batch = ['a', 'b', 'c'].map((key) => ({ key, value: `${key}-${i}`, headers: {} }));
    const positions = await publishAll(broker, topic, batch);
    const acknowledged = batch.map(({ key, value }, n) => ({ partition: 0, offset: -1, ...positions[n], key, value }));
    report({ kind: 'acknowledged', messages: acknowledged });
    await new Promise(setImmediate);
  }
};

const consume = (broker: Broker, { topic, group, memberId }: ClientTask, report: Report): Promise<void> =>
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
