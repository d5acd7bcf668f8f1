import { setTimeout as sleep } from 'node:timers/promises';
import { type Batch, BrokerError, type Broker, type Positions } from '#kafka_common/broker.ts';
import { type Client, QUESTION_MS, unavailable } from './simulated_client.ts';
import { fetchCommitted, HELD_UP_MS } from './simulated_fetch.ts';

/** How long reading waits at an open transaction, unless the caller says otherwise. */
const STALL_MS = 10_000;

/** Reads partition by partition, outside any group, to the end that the log had at the call. @throws BrokerError */
export async function* readSimulated(
  client: Client,
  bounds: Broker['bounds'],
  name: string,
  from: Positions,
  stallMs = STALL_MS,
): AsyncGenerator<Batch> {
  const topic = await client.existing(name);
  const queue = Array.from(await bounds(name), ([partition, { end }]) => {
    const asked = from.get(partition) ?? 0;
    return { partition, next: asked > end ? 0 : asked, end };
  }).filter(({ next, end }) => next < end);
  let lastProgress = performance.now();

  for (let position = queue.shift(); position !== undefined; position = queue.shift()) {
    const { partition, next, end } = position;
    const fetched = await fetchCommitted(client, topic, partition, next, QUESTION_MS);
    if (fetched.kind !== 'records') throw unavailable();
    yield { topic, partition, records: fetched.records, next: fetched.next, end: fetched.end };
    if (fetched.next >= end) continue;
    if (fetched.next > next) {
      lastProgress = performance.now();
      queue.unshift({ partition, next: fetched.next, end });
      continue;
    }
    if (performance.now() - lastProgress > stallMs)
      throw new BrokerError(
        'TRANSACTION_OPEN',
        `an open transaction holds up partition ${partition} at offset ${next}, before its end ${end}`,
      );
    // A partition that is held up waits behind the others.
    queue.push(position);
    await sleep(HELD_UP_MS);
  }
}
