import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import manifest from '../../../package.json' with { type: 'json' };
import { type ErrorCode, ERRORS } from '#service_common/errors.ts';
import { withNamedSchemas } from './named_schemas.ts';
import { problemExample, problemResponse, ProblemSchema } from './problem_schema.ts';
import { describeQueryText } from './query_texts.ts';

/**
 * The OpenAPI document of a service. It comes from the routes themselves: from the schemas that validate, and from the
 * codes of the problems that each route can answer.
 */

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The problems that the route can answer, in addition to those of every route. */
    problems?: readonly ErrorCode[];
  }
}

/** The problems that any route can answer. */
const COMMON_PROBLEMS: readonly ErrorCode[] = ['RequestTimeout', 'HeadersTooLarge', 'InternalError'];

/** The problems that any route with a body can answer. */
export const BODY_PROBLEMS: readonly ErrorCode[] = ['ValidationFailed', 'BodyTooLarge', 'UnsupportedMediaType'];

/** All problems that a route can answer. */
export const problemsOf = (config: { readonly problems?: readonly ErrorCode[] } | undefined): readonly ErrorCode[] => [
  ...(config?.problems ?? []),
  ...COMMON_PROBLEMS,
];

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
  /** The port of the service under `npm start`. */
  readonly port: number;
  /** Descriptions by name, in the order of the document. */
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

/** Adds the problems, and moves what several operations share into the components. */
const complete = (document: Document): object => {
  const codes = new Set<ErrorCode>();
  const responses: Record<string, object> = {};
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    for (const [status, group] of byStatus(operation['x-problems'] ?? [])) {
      const responseName = group.join('Or');
      responses[responseName] = problemResponse(status, group);
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
      examples: Object.fromEntries(inOrder(codes).map((code) => [code, problemExample(code)])),
    },
  };
};

const byStatus = (codes: readonly ErrorCode[]): Map<number, ErrorCode[]> =>
  Map.groupBy(inOrder(new Set(codes)), (code) => ERRORS[code].status);

/** The codes in the order of the table of errors. */
const inOrder = (codes: ReadonlySet<ErrorCode>): ErrorCode[] =>
  Object.keys(ERRORS).filter((code): code is ErrorCode => codes.has(code as ErrorCode));
