/** A client of a broker in a process of its own, to be killed: takes its orders as JSON and reports what it does. */
import { type BrokerAddress, openBroker } from './broker_under_test.ts';
import { type ClientOrders, runClient } from './client_tasks.ts';

const orders: ClientOrders & { address: BrokerAddress } = JSON.parse(process.argv[2] ?? '');
const client = openBroker(orders.address);
// A parent that is gone must not leave this behind.
process.once('disconnect', () => process.exit());
await runClient(client, orders, (report) => void process.send?.(report));
