import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import Type from 'typebox';
import manifest from '../../../package.json' with { type: 'json' };
import { type ErrorCode, ERRORS, exampleOf, problemBody, type ProblemExtras } from '#service_common/errors.ts';
import { withNamedSchemas } from './named_schemas.ts';
import { describeQueryText } from './query_texts.ts';

/**
 * The OpenAPI document of a service. It is made from what the routes are made of: their schemas, which validate, and
 * the codes of the problems that they can answer, each an entry of `errors.ts`.
 */

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The problems that the route can answer, beside those of every route. */
    problems?: readonly ErrorCode[];
  }
}

const PROBLEM_TYPE = 'application/problem+json';

/** What any request can be answered, whatever route it is for. */
const OF_EVERY_ROUTE: readonly ErrorCode[] = ['RequestTimeout', 'HeadersTooLarge', 'InternalError'];

/** What a request with a body can be answered. */
export const BODY_PROBLEMS: readonly ErrorCode[] = ['ValidationFailed', 'BodyTooLarge', 'UnsupportedMediaType'];

/** The codes that the route says it can answer. */
export const problemsOf = (config: { readonly problems?: readonly ErrorCode[] } | undefined): readonly ErrorCode[] => [
  ...(config?.problems ?? []),
  ...OF_EVERY_ROUTE,
];

const ProblemSchema = Type.Object(
  {
    type: Type.String({ format: 'uri', description: '`urn:order-events:problem:` and the code' }),
    title: Type.String({ description: 'The same for every problem of this code' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status' }),
    detail: Type.String({ description: 'What happened this time, for people' }),
    code: Type.String({ description: 'The stable name of the error, for programs' }),
    outcome: Type.Optional(
      Type.String({
        enum: ['not_created', 'not_updated', 'not_published', 'unknown'],
        description:
          'What became of the command: what begins with `not_` is certain; after `unknown`, the same request again answers 200 once the event is published',
      }),
    ),
    errors: Type.Optional(
      Type.Array(
        Type.Object({
          field: Type.String({ description: 'The field of the body or the parameter, as `items.0.price`' }),
          message: Type.String(),
        }),
        { description: 'What is wrong with each field' },
      ),
    ),
  },
  { description: 'RFC 9457 problem details' },
);

interface Operation {
  responses: Record<string, object>;
  parameters?: { schema?: Record<string, unknown> }[];
  'x-problems'?: readonly ErrorCode[];
}

interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas?: object; responses?: object; examples?: object };
}

export interface ApiOptions {
  readonly name: string;
  readonly description: string;
  /** Where `npm start` has it. */
  readonly port: number;
  /** By name, in the order in which people read about them. */
  readonly tags: Readonly<Record<string, string>>;
}

export const describeApi = ({ name, description, port, tags }: ApiOptions): FastifyDynamicSwaggerOptions => ({
  openapi: {
    openapi: '3.1.0',
    info: { title: name, description, version: manifest.version, license: { name: 'MIT', identifier: 'MIT' } },
    servers: [
      { url: '/', description: 'The service that gives this document' },
      { url: `http://localhost:${port}`, description: 'As `npm start` runs it' },
    ],
    tags: Object.entries(tags).map(([tag, text]) => ({ name: tag, description: text })),
  },
  transform: ({ schema, url, route }) => ({
    schema: { ...schema, 'x-problems': problemsOf(route.config) } as typeof schema,
    url,
  }),
  transformObject: (given) => {
    const document = ('openapiObject' in given ? given.openapiObject : given.swaggerObject) as unknown as Document;
    return complete(document);
  },
});

/** Puts what operations share into the components. */
const complete = (document: Document): object => {
  const codes = new Set<ErrorCode>();
  const responses: Record<string, object> = {};
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    for (const [status, group] of byStatus(operation['x-problems'] ?? [])) {
      const responseName = group.join('Or');
      responses[responseName] = responseOf(status, group);
      operation.responses[status] = { $ref: `#/components/responses/${responseName}` };
      for (const code of group) codes.add(code);
    }
    delete operation['x-problems'];
    operation.parameters?.forEach(describeQueryText);
  }
  const schemas: Record<string, object> = { Problem: ProblemSchema };
  return {
    ...document,
    paths: withNamedSchemas(document.paths, schemas),
    components: {
      schemas,
      responses,
      examples: Object.fromEntries(
        inOrder(codes).map((code) => [
          code,
          { summary: ERRORS[code].title, value: problemBody(code, exampleOf(code).detail, exampleOf(code)) },
        ]),
      ),
    },
  };
};

const byStatus = (codes: readonly ErrorCode[]): Map<number, ErrorCode[]> =>
  Map.groupBy(inOrder(new Set(codes)), (code) => ERRORS[code].status);

const inOrder = (codes: ReadonlySet<ErrorCode>): ErrorCode[] =>
  Object.keys(ERRORS).filter((code): code is ErrorCode => codes.has(code as ErrorCode));

const responseOf = (status: number, codes: readonly ErrorCode[]): object => {
  const everyExampleHas = (extra: keyof ProblemExtras): boolean => codes.every((code) => extra in exampleOf(code));
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning}`).join('\n\n'),
    ...(everyExampleHas('retryAfter') ? { headers: { 'Retry-After': RETRY_AFTER } } : {}),
    content: {
      [PROBLEM_TYPE]: {
        schema: {
          $ref: '#/components/schemas/Problem',
          properties: { status: { const: status }, code: { enum: codes } },
          ...(everyExampleHas('outcome') ? { required: ['outcome'] } : {}),
        },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
};

const RETRY_AFTER = {
  description: 'Seconds after which it makes sense to try again',
  required: true,
  schema: { type: 'integer', minimum: 0 },
};
