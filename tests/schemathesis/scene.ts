import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { historyOf, publishAll, toMessage } from '#tests/faults/direct_events.ts';

/** The data that the Order Service is asked for: some orders, a status whose order never comes, and dead letters. */
export const publishScene = async (directory: string): Promise<void> => {
  const broker = createEmbeddedBroker({ directory });
  const early = historyOf('ORD-900', ['confirmed']).slice(1);
  const events = [
    ...['ORD-123', 'ORD-124', 'ORD-0', 'ORD-1'].flatMap((id) => historyOf(id, ['confirmed', 'shipped'])),
    ...early,
  ];
  const unreadable = ['', 'not JSON', '{}', '\u0000'].map((value, n) => ({
    key: `ORD-${n}`,
    value,
    headers: { n: String(n) },
  }));
  await publishAll(broker, 'orders.events', [...events.map(toMessage), ...unreadable]);
  await broker.close();
};
