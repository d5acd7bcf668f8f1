import type { Batch, Positions } from '#kafka_common/broker.ts';
import type { CurrentAdmin } from './admin.ts';
import type { Clients } from './clients.ts';
import { fromLibrary } from './errors.ts';
import { batchesOf, fetchRecords } from './fetch.ts';
import { boundsOf } from './offsets.ts';
import type { Topics } from './topics.ts';

/** How long a broker holds a fetch that finds nothing. */
const FETCH_WAIT_MS = 100;

/** Reads partition by partition, outside any group, to the end that the log had at the call. @throws BrokerError */
export async function* readLog(
  parts: { readonly clients: Clients; readonly admin: CurrentAdmin; readonly topics: Topics },
  name: string,
  from: Positions,
): AsyncIterable<Batch> {
  const topic = await parts.topics.existing(name);
  const bounds = await boundsOf(parts.admin, topic);
  const consumer = parts.clients.reader();
  const fetchPool = parts.clients.fetchPool();
  consumer.client.topics.track(name);
  try {
    for (const [partition, { start, end }] of bounds) {
      const wanted = from.get(partition) ?? start;
      let next = wanted < start || wanted > end ? start : wanted;
      while (next < end) {
        const leader = parts.topics.leaderOf(name, partition);
        const position = [{ partition, next }];
        const response = await fetchRecords(consumer.client, fetchPool.client, leader, topic, position, FETCH_WAIT_MS);
        for (const batch of batchesOf(response, topic, position)) {
          next = batch.next;
          yield batch;
        }
      }
    }
  } catch (error) {
    throw fromLibrary(error);
  } finally {
    await Promise.all([consumer.close(), fetchPool.close()]);
  }
}
