import { after, before, describe, type TestOptions } from 'node:test';
import { consumeContract } from './broker_contract_consume.ts';
import { groupContract } from './broker_contract_groups.ts';
import { outageContract } from './broker_contract_outages.ts';
import { publishContract } from './broker_contract_publish.ts';
import { readContract } from './broker_contract_read.ts';
import { topicLifeContract } from './broker_contract_topic_life.ts';
import { transactionContract } from './broker_contract_transactions.ts';
import type { BrokerFeatures, BrokerUnderTest } from './broker_under_test.ts';

/** What every broker behind the seam promises to its callers. An implementation is done when it passes with its true features. */
export const brokerContract = (
  name: string,
  start: () => Promise<BrokerUnderTest>,
  features: BrokerFeatures,
  options: TestOptions = {},
): void => {
  describe(`${name} as a broker`, { concurrency: 4, timeout: 90_000, ...options }, () => {
    let broker: BrokerUnderTest;

    before(async () => {
      broker = await start();
    });

    after(() => broker.stop());

    publishContract(() => broker.address, features);
    readContract(() => broker.address, features);
    consumeContract(() => broker.address, features);
    groupContract(() => broker.address, features);
    topicLifeContract(() => broker.address, features);
    transactionContract(() => broker.address, features);
  });

  if (features.outages) outageContract(name, features.outages);
};
