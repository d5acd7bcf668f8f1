import { MultipleErrors, ResponseError } from '@platformatic/kafka';
import type { Fate, Message } from '#kafka_common/broker.ts';

/** A message and the partition it goes to. */
export interface RoutedMessage {
  readonly message: Message;
  readonly partition: number;
}

/** A partition's messages of one send get consecutive offsets, from the base offset that the broker answers. */
export const fatesFromBases = (
  messages: readonly RoutedMessage[],
  bases: ReadonlyMap<number, number>,
  otherwise: Fate,
): Fate[] => {
  const next = new Map(bases);
  return messages.map(({ partition }) => {
    const offset = next.get(partition);
    if (offset === undefined || offset < 0) return otherwise;
    next.set(partition, offset + 1);
    return { kind: 'acknowledged', partition, offset };
  });
};

/** The base offsets of the partitions that were written although the answer refuses others. */
export const basesOfPartialFailure = (error: unknown): ReadonlyMap<number, number> => {
  const bases = new Map<number, number>();
  if (error instanceof ResponseError) {
    // A send makes other requests too, for example for a producer id. Their failed responses have other forms.
    const { responses } = (error as unknown as { response: Partial<ProduceResponse> }).response;
    for (const { partitionResponses } of responses ?? []) {
      for (const { index, errorCode, baseOffset } of partitionResponses) {
        if (errorCode === 0) bases.set(index, Number(baseOffset));
      }
    }
  } else if (error instanceof MultipleErrors) {
    for (const attempt of error.errors)
      for (const [partition, base] of basesOfPartialFailure(attempt)) bases.set(partition, base);
  }
  return bases;
};

interface ProduceResponse {
  responses: { partitionResponses: { index: number; errorCode: number; baseOffset: bigint }[] }[];
}
