import Type from 'typebox';
import {
  type ErrorCode,
  ERRORS,
  exampleOf,
  OUTCOMES,
  problemBody,
  type ProblemExtras,
} from '#service_common/errors.ts';

/** The error answers in an OpenAPI document, made from the table of errors. */

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ format: 'uri', description: '`urn:order-events:problem:` and the code' }),
    title: Type.String({ description: 'The same for every problem of this code' }),
    status: Type.Integer({ minimum: 400, maximum: 599, description: 'The HTTP status' }),
    detail: Type.String({ description: 'What happened this time, for people' }),
    code: Type.String({ description: 'The stable name of the error, for programs' }),
    outcome: Type.Optional(
      Type.String({
        enum: [...OUTCOMES],
        description:
          'What became of the command. An outcome that begins with `not_` is certain. After `unknown`, send the same request again: the answer is 200 once the event is published',
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

const RETRY_AFTER = {
  description: 'Seconds after which it makes sense to try again',
  required: true,
  schema: { type: 'integer', minimum: 0 },
};

/** The description of an answer with this status and one of these codes. */
export const problemResponse = (status: number, codes: readonly ErrorCode[]): object => {
  const everyExampleHas = (extra: keyof ProblemExtras): boolean => codes.every((code) => extra in exampleOf(code));
  return {
    description: codes.map((code) => `\`${code}\`: ${ERRORS[code].meaning}`).join('\n\n'),
    ...(everyExampleHas('retryAfter') ? { headers: { 'Retry-After': RETRY_AFTER } } : {}),
    content: {
      'application/problem+json': {
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

/** The example that answers with this code refer to. */
export const problemExample = (code: ErrorCode): object => {
  const { detail, ...extras } = exampleOf(code);
  return { summary: ERRORS[code].title, value: problemBody(code, detail, extras) };
};
