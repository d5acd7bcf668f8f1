/**
 * Example 2: the same on Apache Kafka.
 *
 * You learn:
 * - that only one line differs: which broker stands behind the seam. `libs/kafka_common/kafka_factory.ts` has that line
 *   for the services;
 * - that Kafka keeps what example 1 promises. Both brokers pass one suite: `tests/contracts/broker_contract.ts`.
 *
 * Run it beside `npm run kafka`: npm run example:kafka
 * KAFKA_BOOTSTRAP_SERVERS names another Kafka than localhost:9092.
 */
import { createKafkaBroker } from '#kafka_common/kafka/kafka_broker.ts';
import { publishAndConsume } from './1_embedded.ts';

const { KAFKA_BOOTSTRAP_SERVERS, ORDERS_TOPIC = 'examples' } = process.env;
const bootstrapServers = (KAFKA_BOOTSTRAP_SERVERS || 'localhost:9092').split(',');

const broker = createKafkaBroker({ bootstrapServers, clientId: 'example' });
await publishAndConsume(broker, ORDERS_TOPIC);
await broker.close();
