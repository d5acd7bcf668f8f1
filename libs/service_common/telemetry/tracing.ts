import type { Logger } from 'pino';
import { readTracingSettings } from './tracing_settings.ts';

/**
 * Traces, told in the terms of OpenTelemetry. Spans are named by their `traceparent`, as they are in the headers of
 * requests and events, so that nothing of the SDK gets into the services.
 */
export interface Tracing {
  /** Begins a span that lasts; whether it is recorded is decided here, and is in the flags of its `traceparent`. */
  begin(span: StartedSpan): OpenSpan;
  /** Records a span that has ended. @returns its `traceparent` */
  record(span: EndedSpan): string;
  /** Sends what is left, for a second at most. */
  close(): Promise<void>;
}

export type Attributes = Readonly<Record<string, string | number | undefined>>;

type SpanKind = 'server' | 'client' | 'producer' | 'consumer';

export interface StartedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  /** The `traceparent` of the span that caused it; a new trace begins where there is none that is valid. */
  readonly parent: string | undefined;
}

export interface EndedSpan extends StartedSpan {
  readonly attributes: Attributes;
  /** Its own `traceparent`, where that was given to others before. */
  readonly self?: string;
  /** The `traceparent` of spans that belong to it without having caused it. */
  readonly links: readonly string[];
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The kind of failure, if it was one. */
  readonly error?: string | undefined;
}

export interface OpenSpan {
  readonly traceparent: string;
  /** Where it is not, nobody need find out its attributes. */
  readonly isRecorded: boolean;
  /** @param error the kind of failure, if it was one */
  end(attributes: Attributes, error?: string): void;
}

/**
 * Tracing as the `OTEL_*` variables have it; null where they do not ask for it, and then nothing of the SDK is loaded.
 * @throws ConfigError
 */
export const startTracing = async (
  service: string,
  environment: Readonly<Record<string, string | undefined>>,
  logger: Logger,
): Promise<Tracing | null> => {
  const settings = readTracingSettings(environment);
  if (settings === null) return null;
  const { createTracing } = await import('./tracing_sdk.ts');
  return createTracing(service, settings, logger);
};
