import type { ErrorCode } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { problemsOf } from '#service_common/http/openapi.ts';

/** Turns every answer that the description of its route does not have into a failure, so that a test sees it. */
export const holdToDescription = (app: HttpApp): HttpApp => {
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.is404) return;
    const { config, schema, url } = request.routeOptions;
    const answer = `${request.method} ${url} answered ${reply.statusCode}`;
    if (reply.getHeader('content-type') === 'application/problem+json') {
      const { code } = JSON.parse(String(payload)) as { code: ErrorCode };
      if (!problemsOf(config).includes(code)) throw new Error(`${answer} ${code}, which is not described`);
    } else if (schema !== undefined && schema.hide !== true) {
      const described = (schema.response ?? {}) as Record<string, unknown>;
      if (!(reply.statusCode in described)) throw new Error(`${answer}, which is not described`);
    }
  });
  return app;
};
