/**
 * Traces in the terms of OpenTelemetry. A span is named by its `traceparent`, as in the headers of requests and events,
 * so that the services do not know the SDK.
 */
export interface Tracing {
  /** Begins a span that lasts. Decides whether it is recorded; the flags of its `traceparent` say so. */
  begin(span: StartedSpan): OpenSpan;
  /** Records a span that has ended. @returns its `traceparent` */
  record(span: EndedSpan): string;
  /** Sends the remaining spans, for at most a second. */
  close(): Promise<void>;
}

export type Attributes = Readonly<Record<string, string | number | undefined>>;

type SpanKind = 'server' | 'client' | 'producer' | 'consumer';

export interface StartedSpan {
  readonly name: string;
  readonly kind: SpanKind;
  /** The `traceparent` of the span that caused it. If it is missing or not valid, a new trace begins. */
  readonly parent: string | undefined;
}

export interface EndedSpan extends StartedSpan {
  readonly attributes: Attributes;
  /** Its own `traceparent`, if others have received it already. */
  readonly self?: string;
  /** The `traceparent` of each span that belongs to it but did not cause it. */
  readonly links: readonly string[];
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The kind of failure, if it was one. */
  readonly error?: string | undefined;
}

export interface OpenSpan {
  readonly traceparent: string;
  /** If not, the caller need not collect attributes. */
  readonly isRecorded: boolean;
  /** @param error the kind of failure, if it was one */
  end(attributes: Attributes, error?: string): void;
}
