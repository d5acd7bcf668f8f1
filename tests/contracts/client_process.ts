/** A client of a broker in a process of its own, which a test kills. It gets its task as JSON and reports what it does. */
import { type BrokerAddress, openBroker } from './broker_under_test.ts';
import { type ClientTask, runClient } from './client_tasks.ts';

const task: ClientTask & { address: BrokerAddress } = JSON.parse(process.argv[2] ?? '');
const client = openBroker(task.address);
// This process must not outlive its parent.
process.once('disconnect', () => process.exit());
await runClient(client, task, (report) => void process.send?.(report));
