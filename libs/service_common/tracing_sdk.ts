import { type Context, type Link, ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { formatTraceparent, parseTraceparent } from './trace_context.ts';
import type { StartedSpan, Tracing } from './tracing.ts';
import type { TracingSettings } from './tracing_settings.ts';

/** Tracing by the SDK of OpenTelemetry, exported as OTLP over HTTP. Loaded only where it is asked for. */

const CLOSE_MS = 1_000;
/** Links of one span: the events of the largest batch. */
const MAX_LINKS = 500;

const KINDS: Readonly<Record<StartedSpan['kind'], SpanKind>> = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};

export const createTracing = (
  service: string,
  settings: TracingSettings,
  logger: Logger,
  exporter: SpanExporter = new OTLPTraceExporter(),
): Tracing => {
  const random = new RandomIdGenerator();
  /** The id of the next span, where it was given to others before. */
  let givenId: string | null = null;
  const generateSpanId = (): string => {
    const id = givenId ?? random.generateSpanId();
    givenId = null;
    return id;
  };
  const provider = new TracerProvider({
    // What the environment says comes last, and so goes before.
    resource: resourceFromAttributes({ 'service.name': service }).merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(settings),
    idGenerator: { generateTraceId: () => random.generateTraceId(), generateSpanId },
    spanLimits: { linkCountLimit: MAX_LINKS },
    spanProcessors: [new BatchSpanProcessor({ ...settings, exporter: reporting(exporter, logger) })],
  });
  const tracer = provider.getTracer('order-events');

  return {
    begin({ name, kind, parent, attributes }) {
      const span = tracer.startSpan(name, { kind: KINDS[kind], attributes: { ...attributes } }, contextOf(parent));
      return {
        traceparent: traceparentOf(span),
        end(further, error) {
          span.setAttributes({ ...further });
          endSpan(span, error);
        },
      };
    },
    record({ name, kind, self, parent, links, startedAt, endedAt, attributes, error }) {
      givenId = parseTraceparent(self)?.spanId ?? null;
      const options = {
        kind: KINDS[kind],
        startTime: startedAt,
        attributes: { ...attributes },
        links: links.flatMap(linkTo),
      };
      const span = tracer.startSpan(name, options, contextOf(parent));
      endSpan(span, error, endedAt);
      return traceparentOf(span);
    },
    async close() {
      // What a collector that stands still has not taken by then is lost.
      await Promise.race([provider.shutdown().catch(() => {}), sleep(CLOSE_MS, undefined, { ref: false })]);
    },
  };
};

const samplerOf = ({ sampler, ratio }: TracingSettings): Sampler => {
  const root = sampler.endsWith('always_on')
    ? new AlwaysOnSampler()
    : sampler.endsWith('always_off')
      ? new AlwaysOffSampler()
      : new TraceIdRatioBasedSampler(ratio);
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
};

const contextOf = (traceparent: string | undefined): Context => {
  const parent = parseTraceparent(traceparent);
  if (parent === null) return ROOT_CONTEXT;
  const { traceId, spanId, flags } = parent;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: flags, isRemote: true });
};

const linkTo = (traceparent: string): Link[] => {
  const context = parseTraceparent(traceparent);
  return context === null
    ? []
    : [{ context: { traceId: context.traceId, spanId: context.spanId, traceFlags: context.flags } }];
};

const traceparentOf = (span: Span): string => {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return formatTraceparent({ traceId, spanId, flags: traceFlags });
};

const endSpan = (span: Span, error: string | undefined, endedAt?: number): void => {
  if (error !== undefined) {
    span.setAttribute('error.type', error);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end(endedAt);
};

/** Says once when a collector does not take spans, and once when it does again. */
const reporting = (exporter: SpanExporter, logger: Logger): SpanExporter => {
  let isFailing = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.error !== undefined;
        if (failed && !isFailing) {
          logger.warn({ reason: result.error?.message }, 'traces are lost, the collector does not take them');
        }
        if (!failed && isFailing) logger.info('the collector takes traces again');
        isFailing = failed;
        done(result);
      });
    },
    forceFlush: async () => exporter.forceFlush?.(),
    shutdown: () => exporter.shutdown(),
  };
};
