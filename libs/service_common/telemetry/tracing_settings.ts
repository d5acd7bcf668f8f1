import { ConfigError, type Environment } from '#service_common/config.ts';

/**
 * The variables of OpenTelemetry that its SDK leaves to the program. The SDK reads the others itself:
 * `OTEL_EXPORTER_OTLP_*` with the endpoint, headers and time-outs, `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES`.
 */
export interface TracingSettings {
  readonly sampler: Sampler;
  /** The share of new traces that is recorded, 0 to 1. */
  readonly ratio: number;
  /** Spans that may wait to be sent; one more is dropped. */
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
}

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

type Sampler = (typeof SAMPLERS)[number];

/** Null if the variables do not ask for traces. @throws ConfigError for a value that is wrong or not supported */
export const readTracingSettings = (environment: Environment): TracingSettings | null => {
  const read = (name: string): string => environment[name]?.trim() ?? '';
  const exporter = read('OTEL_TRACES_EXPORTER');
  if (read('OTEL_SDK_DISABLED').toLowerCase() === 'true' || exporter === 'none') return null;
  const endpoints = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'].filter(read);
  if (exporter === '' && endpoints.length === 0) return null;
  if (exporter !== '' && exporter !== 'otlp') throw wrong('OTEL_TRACES_EXPORTER', exporter, 'otlp or none');
  for (const name of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
    // A collector that takes OTLP over HTTP takes both of its encodings. This program sends JSON.
    if (!['', 'http/json', 'http/protobuf'].includes(read(name))) throw wrong(name, read(name), 'http/json');
  }
  for (const name of endpoints) {
    const isAddress = /^https?:$/.test(URL.parse(read(name))?.protocol ?? '');
    if (!isAddress) throw wrong(name, read(name), 'an address such as http://localhost:4318');
  }

  const sampler = read('OTEL_TRACES_SAMPLER') || 'parentbased_always_on';
  if (!isSampler(sampler)) throw wrong('OTEL_TRACES_SAMPLER', sampler, `one of ${SAMPLERS.join(', ')}`);
  const argument = read('OTEL_TRACES_SAMPLER_ARG') || '1';
  const ratio = Number(argument);
  if (!(ratio >= 0 && ratio <= 1)) throw wrong('OTEL_TRACES_SAMPLER_ARG', argument, 'a number from 0 to 1');

  const count = (name: string, initial: number): number => {
    const text = read(name) || String(initial);
    if (!/^[1-9][0-9]{0,6}$/.test(text)) throw wrong(name, text, 'a whole number from 1 to 9999999');
    return Number(text);
  };
  return {
    sampler,
    ratio,
    maxQueueSize: count('OTEL_BSP_MAX_QUEUE_SIZE', 2_048),
    maxExportBatchSize: count('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512),
    scheduledDelayMillis: count('OTEL_BSP_SCHEDULE_DELAY', 5_000),
    exportTimeoutMillis: count('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
  };
};

const isSampler = (name: string): name is Sampler => SAMPLERS.some((sampler) => sampler === name);

const wrong = (name: string, value: string, allowed: string): ConfigError =>
  new ConfigError(`${name} is ${JSON.stringify(value)}, but must be ${allowed}`);
