import type { ErrorCode } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { problemsOf } from '#service_common/http/openapi.ts';

interface Schema {
  readonly properties?: Readonly<Record<string, object>>;
  readonly additionalProperties?: unknown;
  readonly items?: object;
}

/** The fields of an answer that its schema does not declare. The serializer drops them silently. */
export const undeclaredFields = (schema: object, answer: unknown, path = ''): string[] => {
  if (typeof answer !== 'object' || answer === null) return [];
  const { properties, additionalProperties, items }: Schema = schema;
  if (Array.isArray(answer)) return answer.flatMap((one) => undeclaredFields(items ?? {}, one, `${path}[]`));
  if (properties === undefined || additionalProperties !== undefined) return [];
  return Object.entries(answer).flatMap(([name, value]) => {
    const field = properties[name];
    return field === undefined ? [`${path}.${name}`] : undeclaredFields(field, value, `${path}.${name}`);
  });
};

/** Makes an answer that the description of its route does not have a failure, which a test will see. */
export const holdToDescription = (app: HttpApp): HttpApp => {
  app.addHook('preSerialization', async (request, reply, payload) => {
    const schemas = request.routeOptions.schema?.response as Readonly<Record<string, object>> | undefined;
    const undeclared = undeclaredFields(schemas?.[reply.statusCode] ?? {}, payload);
    if (undeclared.length > 0) throw new Error(`${request.url} answered undeclared fields: ${undeclared.join(', ')}`);
    return payload;
  });
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
