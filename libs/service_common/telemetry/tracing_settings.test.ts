import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ConfigError } from '#service_common/config.ts';
import { readTracingSettings } from './tracing_settings.ts';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318' };

describe('tracing', () => {
  const OFF: readonly Record<string, string>[] = [
    {},
    { OTEL_SERVICE_NAME: 'cart' },
    { ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' },
    { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: ' ' },
  ];
  for (const environment of OFF) {
    test(`is off by ${JSON.stringify(environment)}`, () => assert.equal(readTracingSettings(environment), null));
  }

  const ON: readonly Record<string, string>[] = [
    ENDPOINT,
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/v1/traces' },
    { OTEL_TRACES_EXPORTER: 'otlp' },
    { ...ENDPOINT, OTEL_SDK_DISABLED: 'false', OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' },
  ];
  for (const environment of ON) {
    test(`is on by ${JSON.stringify(environment)}, recording all traces that begin here`, () => {
      assert.partialDeepStrictEqual(readTracingSettings(environment), { sampler: 'parentbased_always_on', ratio: 1 });
    });
  }

  test('takes the sampler and the limits of the queue from their variables', () => {
    const environment = {
      ...ENDPOINT,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
      OTEL_BSP_MAX_QUEUE_SIZE: '10',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    };
    assert.deepEqual(readTracingSettings(environment), {
      sampler: 'parentbased_traceidratio',
      ratio: 0.01,
      maxQueueSize: 10,
      maxExportBatchSize: 512,
      scheduledDelayMillis: 50,
      exportTimeoutMillis: 30_000,
    });
  });

  for (const [name, value] of [
    ['OTEL_TRACES_EXPORTER', 'zipkin'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'grpc'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'localhost:4318'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0'],
  ] as const) {
    test(`refuses ${name}=${value} and says what is allowed`, () => {
      assert.throws(
        () => readTracingSettings({ ...ENDPOINT, [name]: value }),
        (error: Error) => error instanceof ConfigError && error.message.startsWith(`${name} is "`),
      );
    });
  }
});
