import type { OutboxRow } from '#cart_service/store/cart_store.ts';
import { type EventSender, NO_FATE } from './event_sender.ts';
import { type LaneWork, MAX_BATCH } from './lane_work.ts';
import type { Settlements } from './settlements.ts';

/** Publishes again, with the same event ids, what earlier batches left in the outbox. Its clients have their answer. */
export const createRelay =
  ({ sender, settlements }: { sender: EventSender; settlements: Settlements }): LaneWork =>
  async (topic, queues) => {
    const rows = queues
      .flatMap(({ unsettled }) => unsettled)
      .toSorted((a, b) => a.seq - b.seq)
      .slice(0, MAX_BATCH);
    const fates = await sender.send(topic, rows, null);
    const settled = new Set<OutboxRow>();
    let problem: string | null = null;
    rows.forEach((row, index) => {
      const fate = fates[index] ?? NO_FATE;
      if (fate.kind === 'acknowledged') {
        settlements.acknowledged(row, fate, topic, false);
        settled.add(row);
      } else problem ??= fate.detail;
    });
    for (const queue of queues) queue.settled(settled);
    return { taken: true, sent: rows.length, problem };
  };
