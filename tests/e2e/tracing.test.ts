import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import { eventually } from '#tests/support/eventually.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails } from './api.ts';
import { type CollectedSpan, startCollector } from './otlp_collector.ts';
import { startService } from './service_process.ts';

const CLIENT_TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const CLIENT_SPAN = '00f067aa0ba902b7';
const WAIT = { prefer: 'wait=10' };

/** Starts both services on the embedded broker, with these variables of OpenTelemetry. */
const startBoth = async (t: TestContext, otel: Record<string, string>) => {
  const env = { DATA_DIR: tempDir(), ...otel };
  const [order, cart] = await Promise.all([startService('order_service', env), startService('cart_service', env)]);
  t.after(() => Promise.all([cart.stop(), order.stop()]));
  await eventually(async () => assert.ok((await isReady(cart.url)) && (await isReady(order.url))));
  return { cart, order };
};

describe('the traces of both services', () => {
  test('lead from a request through its event to the transaction that applied it', async (t) => {
    const collector = await startCollector();
    t.after(() => collector.stop());
    const { cart, order } = await startBoth(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '50',
    });
    const traceparent = `00-${CLIENT_TRACE}-${CLIENT_SPAN}-01`;
    const created = await createOrder(cart.url, { order_id: '123', number_of_items: 1 }, { traceparent });
    assert.equal(created.status, 200);
    assert.equal((await orderDetails(order.url, '123', WAIT)).status, 200);

    const find = (name: string): CollectedSpan =>
      collector.spans.find((span) => span.name === name && span.traceId === CLIENT_TRACE) ??
      assert.fail(`${name} is not among ${collector.spans.map((span) => span.name).join(', ')}`);
    const [request, batch, event, applied] = await eventually(() => [
      find('POST /create-order'),
      find('send orders.events'),
      find('publish orders.events'),
      find('process orders.events'),
    ]);
    assert.ok(request && batch && event && applied);
    assert.deepEqual(
      [request, batch, event, applied].map(({ service, parentSpanId }) => [service, parentSpanId]),
      [
        ['cart-service', CLIENT_SPAN],
        ['cart-service', request.spanId],
        ['cart-service', request.spanId],
        ['order-service', event.spanId],
      ],
    );
    assert.deepEqual(
      [batch.links.map(({ spanId }) => spanId), event.links.map(({ spanId }) => spanId)],
      [[event.spanId], [batch.spanId]],
    );
    assert.equal(request.attributes['http.response.status_code'], '200');
    assert.equal(event.attributes['messaging.kafka.message.key'], 'ORD-123');
    assert.equal(applied.attributes['messaging.kafka.offset'], event.attributes['messaging.kafka.offset']);
    assert.ok(request.startedAt <= event.startedAt && event.endedAt <= request.endedAt);
    assert.ok(event.startedAt <= applied.endedAt);

    const read = await eventually(
      () => collector.spans.find(({ name }) => name === 'GET /order-details') ?? assert.fail(),
    );
    assert.notEqual(read.traceId, CLIENT_TRACE, 'another request, another trace');
    assert.ok(!collector.spans.some(({ name }) => name.includes('/health')));
  });

  test('of requests in one batch are linked with the span of the batch', async (t) => {
    const collector = await startCollector();
    t.after(() => collector.stop());
    const { cart } = await startBoth(t, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' });
    const ids = Array.from({ length: 40 }, (_, id) => String(id));
    await Promise.all(ids.map((id) => createOrder(cart.url, { order_id: id, number_of_items: 1 })));
    const named = (name: string): CollectedSpan[] => collector.spans.filter((span) => span.name === name);
    await eventually(() => {
      const events = named('publish orders.events');
      const linked = named('send orders.events').flatMap(({ links }) => links);
      assert.equal(events.length, ids.length);
      assert.equal(new Set(events.map(({ traceId }) => traceId)).size, ids.length);
      assert.deepEqual(linked.map(({ spanId }) => spanId).toSorted(), events.map(({ spanId }) => spanId).toSorted());
      assert.equal(named('process orders.events').length, ids.length);
    });
  });

  test('to a collector that is down delay neither orders nor the stop', async (t) => {
    const [port = 0] = await freePorts(1);
    const { cart, order } = await startBoth(t, {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_EXPORTER_OTLP_TIMEOUT: '500',
      OTEL_BSP_SCHEDULE_DELAY: '10',
    });
    for (const id of ['1', '2', '3']) {
      assert.equal((await createOrder(cart.url, { order_id: id, number_of_items: 1 })).status, 200);
      assert.equal((await orderDetails(order.url, id, WAIT)).status, 200);
    }
    await eventually(() => assert.ok(cart.output.some((line) => line.includes('traces are lost'))));
    assert.deepEqual(await Promise.all([cart.stop(), order.stop()]), [0, 0]);
  });
});
