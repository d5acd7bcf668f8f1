import { setTimeout as sleep } from 'node:timers/promises';
import type { Positions } from '#kafka_common/broker.ts';
import { openTopic } from '../broker_client.ts';
import { readMerged } from '../merged_log.ts';
import { tailedRecord, type TailedEvent, type UnreadableMessage } from './line.ts';

/** The wait between two looks for new messages. */
const LOOK_MS = 200;

/** Reads the messages of a topic without end. @throws BrokerError, Failure */
export async function* tailTopic(
  name: string,
  from: 'earliest' | 'latest',
  signal: AbortSignal,
): AsyncGenerator<TailedEvent | UnreadableMessage, never> {
  const { broker, topic, close } = await openTopic(name);
  try {
    let positions: Positions | null = null;
    for (;;) {
      const bounds = await broker.bounds(topic.name);
      const ends = new Map(Array.from(bounds, ([partition, { end }]) => [partition, end]));
      const starts = new Map(Array.from(bounds, ([partition, { start }]) => [partition, start]));
      positions ??= from === 'earliest' ? starts : ends;
      for await (const { partition, record } of readMerged(broker, topic, positions, ends)) {
        signal.throwIfAborted();
        yield tailedRecord(partition, record);
      }
      positions = ends;
      await sleep(LOOK_MS, undefined, { signal });
    }
  } finally {
    await close();
  }
}
