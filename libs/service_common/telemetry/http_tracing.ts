import type { FastifyReply, FastifyRequest } from 'fastify';
import { methodLabel } from './http_metrics.ts';
import { parseTraceparent } from './trace_context.ts';
import type { Attributes, OpenSpan, Tracing } from './tracing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null if requests are not traced. */
    span: OpenSpan | null;
  }
}

/** Routes that machines call again and again, and a stream that lasts until its client has enough. */
const NOT_TRACED = /^\/(health\/|metrics$|documentation|events\/stream$)/;

/** The hooks that give each request a span in the trace of its client. */
export const createHttpTracing = (tracing: Tracing) => ({
  onRequest(request: FastifyRequest): void {
    const { url: route } = request.routeOptions;
    if (route === undefined || !NOT_TRACED.test(route)) request.span = begin(tracing, request, route);
  },
  onResponse(request: FastifyRequest, { statusCode }: FastifyReply): void {
    end(request, { 'http.response.status_code': statusCode }, statusCode >= 500 ? String(statusCode) : undefined);
  },
  onRequestAbort(request: FastifyRequest): void {
    end(request, {}, 'client_aborted');
    request.span = null;
  },
});

/** The trace of a request. Undefined if it brought none and gets none. */
export const traceIdOf = (request: FastifyRequest): string | undefined =>
  parseTraceparent(traceparentOf(request))?.traceId;

/** The parent of all spans that a request causes: its own span, or its client's span if requests are not traced. */
export const traceparentOf = ({ span, headers }: FastifyRequest): string | undefined =>
  span?.traceparent ?? (headers['traceparent'] as string | undefined);

/** @param route undefined if there is no such route */
const begin = (tracing: Tracing, request: FastifyRequest, route: string | undefined): OpenSpan => {
  const method = methodLabel(request.method);
  return tracing.begin({
    name: route === undefined ? method : `${method} ${route}`,
    kind: 'server',
    parent: request.headers['traceparent'] as string | undefined,
  });
};

const end = (request: FastifyRequest, attributes: Attributes, error: string | undefined): void => {
  const { span } = request;
  if (!span?.isRecorded) return;
  span.end(
    {
      'http.request.method': methodLabel(request.method),
      'http.route': request.routeOptions.url,
      'url.path': request.url.split('?', 1)[0],
      'url.scheme': request.protocol,
      ...attributes,
    },
    error,
  );
};
