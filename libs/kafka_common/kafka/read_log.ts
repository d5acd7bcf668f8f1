import { type Batch, BrokerError, type Positions, type Topic } from '#kafka_common/broker.ts';
import type { CurrentAdmin } from './admin.ts';
import type { Clients } from './clients.ts';
import { fromLibrary } from './errors.ts';
import { type FetchClients, fetchRecords, type FetchPosition, leaderIn } from './fetch.ts';
import { boundsOf } from './offsets.ts';
import type { Topics } from './topics.ts';

/** How long a broker holds a fetch that finds nothing. */
const FETCH_WAIT_MS = 100;

/** How long reading waits at an open transaction, unless the caller says otherwise. */
const STALL_MS = 10_000;

interface Remaining extends FetchPosition {
  readonly end: number;
}

/** Reads partition by partition, outside any group, to the end that the log had at the call. @throws BrokerError */
export async function* readLog(
  parts: { readonly clients: Clients; readonly admin: CurrentAdmin; readonly topics: Topics },
  name: string,
  from: Positions,
  stallMs = STALL_MS,
): AsyncIterable<Batch> {
  const topic = await parts.topics.existing(name);
  const bounds = await boundsOf(parts.admin, topic);
  const consumer = parts.clients.reader();
  const fetchPool = parts.clients.fetchPool();
  consumer.client.topics.track(name);
  const remaining = Array.from(bounds, ([partition, { start, end }]): Remaining => {
    const wanted = from.get(partition) ?? start;
    return { partition, next: wanted < start || wanted > end ? start : wanted, end };
  });
  try {
    yield* readToEnds({ consumer: consumer.client, fetchPool: fetchPool.client }, topic, remaining, stallMs);
  } catch (error) {
    throw fromLibrary(error);
  } finally {
    await Promise.all([consumer.close(), fetchPool.close()]);
  }
}

/** A partition that does not move on, because of an open transaction or a missing leader, waits behind the others. */
async function* readToEnds(
  clients: FetchClients,
  topic: Topic,
  partitions: readonly Remaining[],
  stallMs: number,
): AsyncGenerator<Batch> {
  const queue = partitions.filter(({ next, end }) => next < end);
  let lastProgress = performance.now();
  for (let position = queue.shift(); position !== undefined; position = queue.shift()) {
    const { partition, next, end } = position;
    const leader = leaderIn(await clients.consumer.metadata({ topics: [topic.name] }), topic, partition);
    const { batches, outOfRange } = await fetchRecords(clients, leader, topic, [position], FETCH_WAIT_MS);
    if (outOfRange.length > 0) throw new BrokerError('UNAVAILABLE', `partition ${partition} lost offset ${next}`);
    yield* batches;
    const reached = batches.at(-1)?.next ?? next;
    if (reached > next) lastProgress = performance.now();
    else if (performance.now() - lastProgress > stallMs) throw stalled(position, batches.at(-1)?.isHeldUp === true);
    if (reached >= end) continue;
    if (reached > next) queue.unshift({ partition, next: reached, end });
    else queue.push(position);
  }
}

const stalled = ({ partition, next, end }: Remaining, isHeldUp: boolean): BrokerError =>
  isHeldUp
    ? new BrokerError(
        'TRANSACTION_OPEN',
        `an open transaction holds up partition ${partition} at offset ${next}, before its end ${end}`,
      )
    : new BrokerError('UNAVAILABLE', `partition ${partition} answers nothing at offset ${next}, before its end ${end}`);
