import type { FastifyRequest } from 'fastify';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { methodLabel } from './http_metrics.ts';
import { parseTraceparent } from './trace_context.ts';
import type { Attributes, OpenSpan, Tracing } from './tracing.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where requests are not traced. */
    span: OpenSpan | null;
  }
}

/** Asked again and again by machines, or a stream that ends when its client has enough. */
const NOT_TRACED = /^\/(health\/|metrics$|documentation|events\/stream$)/;

/** Gives each request a span that goes on with the trace of its client. */
export const traceRequests = (app: HttpApp, tracing: Tracing | null): void => {
  app.decorateRequest('span', null);
  if (tracing === null) return;
  app.addHook('onRequest', (request, _reply, done) => {
    const { url: route } = request.routeOptions;
    if (route === undefined || !NOT_TRACED.test(route)) request.span = begin(tracing, request, route);
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const { statusCode } = reply;
    end(request, { 'http.response.status_code': statusCode }, statusCode >= 500 ? String(statusCode) : undefined);
    done();
  });
  app.addHook('onRequestAbort', (request, done) => {
    end(request, {}, 'client_aborted');
    request.span = null;
    done();
  });
};

/** The trace that a request belongs to, or undefined where it brought none and gets none. */
export const traceIdOf = (request: FastifyRequest): string | undefined =>
  parseTraceparent(traceparentOf(request))?.traceId;

/** The span that a request causes others by: its own, or where requests are not traced that of its client. */
export const traceparentOf = ({ span, headers }: FastifyRequest): string | undefined =>
  span?.traceparent ?? (headers['traceparent'] as string | undefined);

/** @param route undefined where there is no such route */
const begin = (tracing: Tracing, request: FastifyRequest, route: string | undefined): OpenSpan => {
  const method = methodLabel(request.method);
  return tracing.begin({
    name: route === undefined ? method : `${method} ${route}`,
    kind: 'server',
    parent: request.headers['traceparent'] as string | undefined,
  });
};

const end = (request: FastifyRequest, further: Attributes, error: string | undefined): void => {
  const { span } = request;
  if (!span?.isRecorded) return;
  span.end(
    {
      'http.request.method': methodLabel(request.method),
      'http.route': request.routeOptions.url,
      'url.path': request.url.split('?', 1)[0],
      'url.scheme': request.protocol,
      ...further,
    },
    error,
  );
};
