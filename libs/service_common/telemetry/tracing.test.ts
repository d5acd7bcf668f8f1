import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { describe, test, type TestContext } from 'node:test';
import { pino } from 'pino';
import { eventually } from '#tests/support/eventually.ts';
import type { EndedSpan, Tracing } from './tracing.ts';
import type { TracingSettings } from './tracing_settings.ts';

const loaded: string[] = [];
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    loaded.push(resolved.url);
    return resolved;
  },
});
const isSdkLoaded = (): boolean => loaded.some((url) => url.includes('/@opentelemetry/sdk-trace/'));

const silent = pino({ level: 'silent' });

test('tracing loads nothing of the SDK if it is off, and the SDK if it is on', async () => {
  const { startTracing } = await import('./start_tracing.ts');
  assert.equal(await startTracing('a-service', {}, silent), null);
  assert.ok(!isSdkLoaded());
  const environment = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
  const tracing = await startTracing('a-service', environment, silent);
  await tracing?.close();
  assert.ok(isSdkLoaded());
});

const SETTINGS: TracingSettings = {
  sampler: 'parentbased_always_on',
  ratio: 1,
  maxQueueSize: 100,
  maxExportBatchSize: 50,
  scheduledDelayMillis: 10,
  exportTimeoutMillis: 100,
};

interface Exported {
  readonly name: string;
  readonly spanId: string;
  readonly traceId: string;
  readonly parent: string | undefined;
  readonly links: readonly string[];
}

/** Tracing to a collector that takes spans, refuses them, or does not answer. */
const tracingTo = async (t: TestContext, collector: 'good' | 'refusing' | 'silent', changes = {}) => {
  const { createTracing } = await import('./tracing_sdk.ts');
  const exported: Exported[] = [];
  const lines: string[] = [];
  let given = 0;
  const logger = pino({}, { write: (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg) });
  const tracing: Tracing = createTracing('a-service', { ...SETTINGS, ...changes }, logger, {
    export(spans, done) {
      given += spans.length;
      if (collector === 'silent') return;
      for (const span of spans) {
        const links = span.links.map(({ context }) => context.spanId);
        exported.push({ ...span.spanContext(), name: span.name, parent: span.parentSpanContext?.spanId, links });
      }
      done(collector === 'good' ? { code: 0 } : { code: 1, error: new Error('refused') });
    },
    shutdown: () => Promise.resolve(),
  });
  t.after(() => tracing.close());
  return { tracing, exported, lines, given: () => given };
};

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = `00-${TRACE}-00f067aa0ba902b7-01`;

const aSpan = (name: string, changes: Partial<EndedSpan> = {}): EndedSpan => ({
  name,
  kind: 'producer',
  parent: PARENT,
  links: [],
  startedAt: 1,
  endedAt: 2,
  attributes: {},
  ...changes,
});

describe('tracing', () => {
  test('continues the trace of the parent, and records a span under the id that others have received', async (t) => {
    const { tracing, exported } = await tracingTo(t, 'good');
    const server = tracing.begin({ name: 'server', kind: 'server', parent: PARENT });
    const self = `00-${TRACE}-1111111111111111-01`;
    assert.equal(tracing.record(aSpan('publish', { self, parent: server.traceparent, links: [PARENT] })), self);
    tracing.record(aSpan('other'));
    server.end({});
    await tracing.close();
    const [publish, other, request] = exported;
    const [, , serverId] = server.traceparent.split('-');
    assert.partialDeepStrictEqual(publish, {
      name: 'publish',
      traceId: TRACE,
      spanId: '1111111111111111',
      parent: serverId,
      links: ['00f067aa0ba902b7'],
    });
    assert.notEqual(other?.spanId, '1111111111111111');
    assert.partialDeepStrictEqual(request, { name: 'server', spanId: serverId, parent: '00f067aa0ba902b7' });
  });

  test('does not record a trace that its client does not record, and says so in the flags', async (t) => {
    const { tracing, exported } = await tracingTo(t, 'good');
    const parent = PARENT.replace(/01$/, '00');
    const server = tracing.begin({ name: 'server', kind: 'server', parent });
    assert.match(server.traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`));
    server.end({});
    await tracing.close();
    assert.deepEqual(exported, []);
  });

  for (const [sampler, ratio, isRecorded] of [
    ['always_off', 1, false],
    ['traceidratio', 0, false],
    ['parentbased_traceidratio', 0, true],
    ['always_on', 0, true],
  ] as const) {
    test(`by the sampler ${sampler} of ${ratio} ${isRecorded ? 'records' : 'does not record'} what a client records`, async (t) => {
      const { tracing } = await tracingTo(t, 'good', { sampler, ratio });
      const { traceparent } = tracing.begin({ name: 'server', kind: 'server', parent: PARENT });
      assert.equal(traceparent.endsWith('-01'), isRecorded);
    });
  }

  test('to a collector that does not answer keeps a queue of bounded length, and closes in time', async (t) => {
    const { tracing, given } = await tracingTo(t, 'silent');
    for (let n = 0; n < 10_000; n += 1) tracing.record(aSpan(`span ${n}`));
    const startedAt = performance.now();
    await tracing.close();
    assert.ok(performance.now() - startedAt < 3_000);
    assert.ok(given() <= 150, `${given()} spans were kept`);
  });

  test('to a collector that refuses says so once', async (t) => {
    const { tracing, lines, given } = await tracingTo(t, 'refusing');
    for (let n = 0; n < 3; n += 1) {
      tracing.record(aSpan('span'));
      await eventually(() => assert.equal(given(), n + 1));
    }
    assert.deepEqual(lines, ['traces are lost, the collector does not take them']);
  });
});
