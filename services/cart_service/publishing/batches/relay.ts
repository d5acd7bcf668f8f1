import type { PartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { type EventSender, NO_FATE } from './event_sender.ts';
import { isRefusedForGood, type LaneWork, MAX_BATCH, troubleIn } from './lane_work.ts';
import type { RefusedEvents } from './refused_events.ts';
import type { Settlements } from './settlements.ts';

/** Publishes again, with the same event ids, what earlier batches left in the outbox. Its clients have their answer. */
export const createRelay =
  (parts: { sender: EventSender; settlements: Settlements; refusedEvents: RefusedEvents }): LaneWork =>
  async (topic, queues) => {
    const { sender, settlements, refusedEvents } = parts;
    const rows = nextRows(queues);
    const fates = await sender.send(topic, rows, null);
    const settled = new Set<OutboxRow>();
    const refused: OutboxRow[] = [];
    rows.forEach((row, index) => {
      const fate = fates[index] ?? NO_FATE;
      if (fate.kind === 'acknowledged') {
        settlements.acknowledged(row, fate, topic, false);
        settled.add(row);
      } else if (isRefusedForGood(fate)) refused.push(row);
    });
    for (const queue of queues) queue.settled(settled);
    const result = { taken: true, sent: rows.length, trouble: troubleIn(fates) };
    if (refused.length === 0) return result;
    const concerned = queues.filter(({ unsettled }) => refused.some((row) => unsettled.includes(row)));
    return { ...result, aside: { queues: concerned, until: refusedEvents.decide(topic, concerned, refused) } };
  };

/** Only the first event of each order: if Kafka refuses it for good, the later ones must not be written. */
const nextRows = (queues: readonly PartitionQueue[]): readonly OutboxRow[] => {
  const orders = new Set<string>();
  return queues
    .flatMap(({ unsettled }) => unsettled)
    .toSorted((a, b) => a.seq - b.seq)
    .filter(({ orderId }) => !orders.has(orderId) && orders.add(orderId))
    .slice(0, MAX_BATCH);
};
