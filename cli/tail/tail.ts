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
  details: `Shows the events that the Order Service reads. If an event was not simply applied, its outcome is shown too:
duplicate, late, or waiting (for its order). After a lost connection, tail goes on after the last event.
With --topic, tail reads the broker directly, without the Order Service. It then shows every message of the
topic, even those that cannot be read. KAFKA_BOOTSTRAP_SERVERS and DATA_DIR name the broker, as for the
services. A line has the time, order, status, version, and partition@offset.`,
  options: {
    from: oneOf(['earliest', 'latest'], 'latest', 'begin with the oldest event, or with new events only'),
    order: {
      placeholder: 'ID',
      description: 'show only events of this order',
      read: (given) =>
        given === undefined
          ? undefined
          : (canonicalOrderId(given) ?? refuse(given, 'be an order id: digits, with or without ORD-')),
    },
    limit: optionalCount(1, 1_000_000_000, 'end after this many events'),
    topic: text('NAME', 'read this topic directly from the broker'),
    json: flag('print one line of JSON per event'),
    url: serviceUrl('Order Service', 'ORDER_PORT', 8001),
  },
  found: 'it cannot go on',
  examples: [
    ['', 'new events, until Ctrl+C'],
    ['-- --order ORD-123 --from earliest', 'all events of one order so far, and then its new ones'],
    ['-- --topic orders.events --from earliest', 'every message of the topic'],
    ['--silent -- --json --limit 100', 'a hundred events, for a script'],
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
