import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { check } from '#service_common/http/health.ts';
import { createHttpApp } from '#service_common/http/create_http_app.ts';

test('requests are timed by method, route and status, whatever clients ask for', async (t) => {
  const app = await createHttpApp({
    name: 'A Service',
    description: '',
    port: 0,
    tags: {},
    logger: pino({ level: 'silent' }),
    metrics: new Registry(),
    settings: [],
    readiness: () => ({ ready: false, reason: 'not yet', checks: [check('broker', 'not yet'), check('store', null)] }),
  });
  t.after(() => app.close());
  app.get('/orders/:orderId', () => ({}));
  for (let id = 0; id < 3; id += 1) await app.inject(`/orders/${id}`);
  await app.inject('/no-such-route?x=1');
  await app.inject({ method: 'PROPFIND' as 'GET', url: '/' });

  const { body } = await app.inject('/metrics');
  const counted = body.match(/^http_server_request_duration_seconds_count.*$/gm);
  assert.deepEqual(counted, [
    'http_server_request_duration_seconds_count{http_request_method="GET",http_route="/orders/:orderId",http_response_status_code="200"} 3',
    'http_server_request_duration_seconds_count{http_request_method="GET",http_route="",http_response_status_code="404"} 1',
    'http_server_request_duration_seconds_count{http_request_method="_OTHER",http_route="",http_response_status_code="404"} 1',
  ]);
  assert.match(body, /^order_events_ready 0$/m);
  assert.match(body, /^order_events_check_ok\{check="broker"\} 0\norder_events_check_ok\{check="store"\} 1$/m);
});
