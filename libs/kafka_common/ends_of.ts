import type { Broker, Positions } from './broker.ts';

/** One past the last offset, for each partition. @throws BrokerError */
export const endsOf = async (broker: Pick<Broker, 'bounds'>, topic: string): Promise<Positions> =>
  new Map(Array.from(await broker.bounds(topic), ([partition, { end }]) => [partition, end]));
