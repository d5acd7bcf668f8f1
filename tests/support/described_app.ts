import type { ErrorCode } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { problemsOf } from '#service_common/http/openapi.ts';

/** Makes every answer of a route that its description does not have a failure, which a test will see. */
export const holdToDescription = (app: HttpApp): HttpApp => {
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.is404) return;
    const { config, schema, url } = request.routeOptions;
    const told = `${request.method} ${url} answered ${reply.statusCode}`;
    if (reply.getHeader('content-type') === 'application/problem+json') {
      const { code } = JSON.parse(String(payload)) as { code: ErrorCode };
      if (!problemsOf(config).includes(code)) throw new Error(`${told} ${code}, which is not described`);
    } else if (schema !== undefined && schema.hide !== true) {
      const described = (schema.response ?? {}) as Record<string, unknown>;
      if (!(reply.statusCode in described)) throw new Error(`${told}, which is not described`);
    }
  });
  return app;
};
