import { canonicalOrderId } from '#kafka_common/models.ts';
import { defineCommand } from '../command.ts';
import { EXIT } from '../failures.ts';
import { flag, oneOf, optionalCount, refuse, serviceUrl, text } from '../options.ts';
import { tailLine } from './line.ts';
import { tailTopic } from './topic.ts';
import { tailView } from './view.ts';
import { visibleJson } from '../visible.ts';

export const tail = defineCommand({
  name: 'tail',
  summary: 'Shows order events as they come.',
  details: `From the Order Service: what it has applied, and what came of it (shown where it is not simply applied:
duplicate, late, waiting for its order). A lost connection is taken up again after the last event.
With --topic straight from the broker, without the Order Service: every message of the topic, also those
that cannot be read. KAFKA_BOOTSTRAP_SERVERS and DATA_DIR say which broker, as for the services.
A line has time, order, status, version, and partition@offset.`,
  options: {
    from: oneOf(['earliest', 'latest'], 'latest', 'begin with the first event that is kept, or with what is new'),
    order: {
      placeholder: 'ID',
      description: 'only events of this order',
      read: (given) =>
        given === undefined
          ? undefined
          : (canonicalOrderId(given) ?? refuse(given, 'be an order id: digits, with or without ORD-')),
    },
    limit: optionalCount(1, 1_000_000_000, 'end after so many events'),
    topic: text('NAME', 'read this topic straight from the broker'),
    json: flag('one line of JSON an event'),
    url: serviceUrl('Order Service', 'ORDER_PORT', 8001),
  },
  found: 'it cannot go on',
  examples: [
    ['', 'what happens from now on, until Ctrl+C'],
    ['-- --order ORD-123 --from earliest', 'the life of one order so far, and as it goes on'],
    ['-- --topic orders.events --from earliest', 'all that the topic holds'],
    ['--silent -- --json --limit 100', 'a hundred events for a script'],
  ],
  run: async ({ values, terminal, signal }) => {
    const { from, order: orderId, limit = Infinity, topic, json, url } = values;
    const events =
      topic === undefined
        ? tailView({ service: { name: 'Order Service', url }, from, orderId, signal, onNote: terminal.note })
        : tailTopic(topic, from, signal);
    let shown = 0;
    for await (const event of events) {
      if (orderId !== undefined && !('orderId' in event && event.orderId === orderId)) continue;
      await terminal.print(json ? visibleJson(event) : tailLine(event, terminal.style));
      shown += 1;
      if (shown >= limit) break;
    }
    return EXIT.done;
  },
});
