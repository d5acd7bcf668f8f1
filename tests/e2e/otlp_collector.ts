import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

export interface CollectedSpan {
  readonly service: string;
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly kind: number;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, string>>;
  /** Nanoseconds since 1970. */
  readonly startedAt: bigint;
  readonly endedAt: bigint;
}

type KeyValues = { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];

interface TracesBody {
  readonly resourceSpans: {
    readonly resource: { readonly attributes: KeyValues };
    readonly scopeSpans: { readonly spans: WireSpan[] }[];
  }[];
}

interface WireSpan extends Omit<CollectedSpan, 'service' | 'attributes' | 'links' | 'startedAt' | 'endedAt'> {
  readonly attributes: KeyValues;
  readonly links?: CollectedSpan['links'];
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}

/** A small OpenTelemetry collector for tests: it takes traces as OTLP/HTTP with JSON. */
export const startCollector = async () => {
  const spans: CollectedSpan[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await json(request);
    if (request.url === '/v1/traces') spans.push(...spansOf(body as TracesBody));
    response.setHeader('content-type', 'application/json').end('{}');
  };
  const server = createServer((request, response) => void take(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** All spans received so far. */
    spans: spans as readonly CollectedSpan[],
    stop: (): void => {
      server.close();
      server.closeAllConnections();
    },
  };
};

const spansOf = ({ resourceSpans }: TracesBody): CollectedSpan[] =>
  resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(texts(resource.attributes)['service.name']);
    return scopeSpans.flatMap((scope) =>
      scope.spans.map(({ attributes, links = [], startTimeUnixNano, endTimeUnixNano, ...span }) => ({
        ...span,
        service,
        links,
        attributes: texts(attributes),
        startedAt: BigInt(startTimeUnixNano),
        endedAt: BigInt(endTimeUnixNano),
      })),
    );
  });

const texts = (attributes: KeyValues): Record<string, string> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
