/**
 * Every error that a client of either service can receive. `docs/errors.md` and the errors of `docs/openapi` are
 * generated from this table.
 */
const TABLE = {
  ValidationFailed: {
    status: 400,
    title: 'The request is not valid',
    meaning: 'A field or parameter is missing or breaks a rule; `errors` lists each. Correct the request.',
    example: { detail: 'order_id is missing', errors: [{ field: 'order_id', message: 'is missing' }] },
  },
  OrderNotFound: {
    status: 404,
    title: 'There is no such order',
    meaning:
      'No order with this id is known. A new order can take a moment until it is readable; `Prefer: wait=5` waits for it.',
    example: { detail: 'order ORD-404 is not known' },
  },
  RouteNotFound: {
    status: 404,
    title: 'There is no such route',
    meaning: 'The path is wrong. `/documentation` lists the routes.',
    example: { detail: 'GET /orderdetails is not a route of the Order Service; /documentation lists them' },
  },
  MethodNotAllowed: {
    status: 405,
    title: 'The route does not have this method',
    meaning: '`Allow` names the methods that the path has.',
    example: { detail: 'DELETE is not a method of /create-order, which has POST' },
  },
  RequestTimeout: {
    status: 408,
    title: 'The request did not arrive in time',
    meaning: 'The connection was too slow in sending the request.',
  },
  OrderAlreadyExists: {
    status: 409,
    title: 'The order exists already',
    meaning: 'An order with this id was created before. Nothing was changed.',
    example: { detail: 'order ORD-123 exists already, with status new' },
  },
  StatusNotAllowed: {
    status: 409,
    title: 'The order cannot take this status',
    meaning:
      'The lifecycle has no step from the present status to this one. No step leads back to `new` or out of `completed` or `cancelled`. An order whose version is 2147483647 changes no more.',
    example: { detail: 'order ORD-123 is completed and cannot become shipped; it can become: nothing, it is final' },
  },
  RedriveUnderWay: {
    status: 409,
    title: 'Another redrive is under way',
    meaning: 'Only one request at a time publishes dead letters again. Nothing was published; try again.',
    example: { detail: 'another redrive is under way; try again when it is done' },
  },
  BodyTooLarge: {
    status: 413,
    title: 'The body is too large',
    meaning: 'A body may have 64 KiB (to redrive dead letters, 2 MiB).',
  },
  UriTooLong: { status: 414, title: 'The URL is too long', meaning: 'A parameter in the path is too long.' },
  UnsupportedMediaType: {
    status: 415,
    title: 'The body is not JSON',
    meaning: 'Send `Content-Type: application/json`.',
  },
  IdempotencyKeyReused: {
    status: 422,
    title: 'The Idempotency-Key was used for another request',
    meaning: 'An earlier request had the same key and other content. Use a new key for each new request.',
    example: { detail: 'this Idempotency-Key came before with another request, about order ORD-123' },
  },
  HeadersTooLarge: {
    status: 431,
    title: 'The headers are too large',
    meaning: 'All headers together may have 16 KiB.',
  },
  InternalError: {
    status: 500,
    title: 'The service failed',
    meaning: 'The service has a fault; its log has the cause.',
    example: { detail: 'the request failed because of a fault of the service, which was logged' },
  },
  StoreUnavailable: {
    status: 500,
    title: 'The store of the service failed',
    meaning: 'The disk is full or broken; the log has the cause. `outcome` says what became of the order.',
    example: {
      detail: 'the store of the Cart Service failed; its log has the cause',
      outcome: 'unknown',
      retryAfter: 1,
    },
  },
  KafkaBrokersUnavailable: {
    status: 503,
    title: 'The event could not be written to Kafka',
    meaning:
      'No broker could be reached, or a broker refused the event. `outcome` says what became of the order; try again after `Retry-After` seconds.',
    example: {
      detail: 'the event was not written: no broker could be reached',
      outcome: 'not_created',
      retryAfter: 1,
    },
  },
  KafkaTimeout: {
    status: 503,
    title: 'Kafka did not acknowledge in time',
    meaning:
      '`outcome` says what became of the order. After `unknown`, send the same request again: the answer is 200 once the event is published.',
    example: { detail: 'Kafka did not acknowledge the event in time', outcome: 'unknown', retryAfter: 1 },
  },
  ProducerQueueFull: {
    status: 503,
    title: 'Too many requests are waiting',
    meaning:
      'More requests wait for Kafka than `QUEUE_LIMIT`. This attempt did nothing. `outcome` is `unknown`, because earlier attempts are not looked up. Try again after `Retry-After` seconds.',
    example: { detail: 'too many requests wait already', outcome: 'unknown', retryAfter: 1 },
    holdsBack: true,
  },
  TooManySubscribers: {
    status: 503,
    title: 'Too many clients listen to the events',
    meaning: 'The stream of events has its maximum of subscribers. Try again after `Retry-After` seconds.',
    example: { detail: 'too many listen already', retryAfter: 5 },
  },
  ServiceStopping: {
    status: 503,
    title: 'The service is stopping',
    meaning: 'Try again at another instance or after the restart; `outcome` says what became of the order.',
    example: { detail: 'the Cart Service is stopping', outcome: 'not_created', retryAfter: 1 },
  },
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof TABLE;

interface ErrorEntry {
  /** The HTTP status. */
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  /** An answer, if it says more than the meaning. */
  readonly example?: ProblemExtras & { readonly detail: string };
  /** The client's connection is not read until `Retry-After` has passed (`http/connections.ts`). */
  readonly holdsBack?: boolean;
}

export const ERRORS: Readonly<Record<ErrorCode, ErrorEntry>> = TABLE;

/**
 * What became of a command whose answer is an error. An outcome that begins with `not_` is certain. See "What a 503
 * means" in the README.
 */
export const OUTCOMES = ['not_created', 'not_updated', 'not_published', 'unknown'] as const;

/** One thing that is wrong with a request: its place, and what to do about it. */
export interface FieldError {
  /** The body's field or the parameter, as `items.0.price`. */
  readonly field: string;
  readonly message: string;
}

export interface ProblemExtras {
  readonly errors?: readonly FieldError[];
  readonly outcome?: (typeof OUTCOMES)[number];
  /** Seconds. Sent as the header `Retry-After`. */
  readonly retryAfter?: number;
}

/** An answer that is an error (RFC 9457). Routes throw it, `http/error_answers.ts` sends it. */
export class Problem extends Error {
  readonly code: ErrorCode;
  readonly extras: ProblemExtras;

  constructor(code: ErrorCode, detail: string, extras: ProblemExtras = {}) {
    // Nobody reads the stack of an expected error, and to record it costs as much as the whole answer.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail);
    Error.stackTraceLimit = stackTraceLimit;
    this.name = 'Problem';
    this.code = code;
    this.extras = extras;
  }
}

/** A `400` that lists what is wrong with each field. */
export const validationProblem = (errors: readonly FieldError[]): Problem =>
  new Problem('ValidationFailed', errors.map(({ field, message }) => `${field} ${message}`).join('; '), { errors });

/** The body of an `application/problem+json` answer. */
export const problemBody = (code: ErrorCode, detail: string, extras: ProblemExtras = {}): Record<string, unknown> => {
  const { status, title } = ERRORS[code];
  return {
    type: `urn:order-events:problem:${code}`,
    title,
    status,
    detail,
    code,
    ...(extras.outcome === undefined ? {} : { outcome: extras.outcome }),
    ...(extras.errors === undefined ? {} : { errors: extras.errors }),
  };
};

/** An answer with this code. */
export const exampleOf = (code: ErrorCode): ProblemExtras & { readonly detail: string } => {
  const { meaning, example } = ERRORS[code];
  return example ?? { detail: meaning };
};
