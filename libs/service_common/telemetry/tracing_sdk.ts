import {
  type Context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  type SpanOptions,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  RandomIdGenerator,
  type Sampler,
  SamplingDecision,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { childContext, formatTraceparent, parseTraceparent, type TraceContext } from './trace_context.ts';
import type { OpenSpan, StartedSpan, Tracing } from './tracing.ts';
import type { TracingSettings } from './tracing_settings.ts';

/** Tracing by the SDK of OpenTelemetry, exported as OTLP over HTTP. Loaded only if tracing is on. */

const CLOSE_MS = 1_000;
/** The most links of one span: the events of the largest batch. */
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
  const sampler = samplerOf(settings);
  /** The ids of the next span, if it has them already. */
  let given: TraceContext | null = null;
  const start = (name: string, options: SpanOptions, self: TraceContext | null, parent: Context): Span => {
    given = self;
    try {
      return tracer.startSpan(name, options, parent);
    } finally {
      given = null;
    }
  };
  const provider = new TracerProvider({
    // The environment comes last, so that it wins.
    resource: resourceFromAttributes({ 'service.name': service }).merge(detectResources({ detectors: [envDetector] })),
    sampler,
    idGenerator: {
      generateTraceId: () => given?.traceId ?? random.generateTraceId(),
      generateSpanId: () => given?.spanId ?? random.generateSpanId(),
    },
    spanLimits: { linkCountLimit: MAX_LINKS },
    spanProcessors: [new BatchSpanProcessor({ ...settings, exporter: reporting(exporter, logger) })],
  });
  const tracer = provider.getTracer('order-events');

  return {
    begin({ name, kind, parent }) {
      const self = childContext(parent);
      const context = contextOf(parent);
      const { decision } = sampler.shouldSample(context, self.traceId, name, KINDS[kind], {}, []);
      if (decision === SamplingDecision.NOT_RECORD) return unrecorded(self);
      const span = start(name, { kind: KINDS[kind] }, self, context);
      return {
        traceparent: traceparentOf(span),
        isRecorded: true,
        end(attributes, error) {
          span.setAttributes({ ...attributes });
          endSpan(span, error);
        },
      };
    },
    record({ name, kind, self, parent, links, startedAt, endedAt, attributes, error }) {
      const options = {
        kind: KINDS[kind],
        startTime: startedAt,
        attributes: { ...attributes },
        links: links.flatMap(linkTo),
      };
      const span = start(name, options, parseTraceparent(self), contextOf(parent));
      endSpan(span, error, endedAt);
      return traceparentOf(span);
    },
    async close() {
      // Spans that a collector has not taken by then are lost.
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

/** Most spans are not recorded. The SDK would take much longer to begin a span that it drops. */
const unrecorded = (self: TraceContext): OpenSpan => ({
  traceparent: formatTraceparent({ ...self, flags: 0 }),
  isRecorded: false,
  end() {},
});

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

/** Logs once when a collector does not take spans, and once when it takes them again. */
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
