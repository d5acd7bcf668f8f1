import { BrokerError } from '#kafka_common/broker.ts';
import { reasonOf } from '#service_common/reason_of.ts';

/** Equal for problems of which one log line is enough. The text of an open transaction changes with every new record. */
export const problemKey = (error: unknown): string =>
  error instanceof BrokerError && error.code === 'TRANSACTION_OPEN' ? error.code : reasonOf(error);
