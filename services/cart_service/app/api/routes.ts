import type { FastifyRequest } from 'fastify';
import { type ErrorCode, Problem, validationProblem } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { traceparentOf } from '#service_common/telemetry/http_tracing.ts';
import { BODY_PROBLEMS } from '#service_common/http/openapi.ts';
import { childTraceparent } from '#service_common/telemetry/trace_context.ts';
import type { Command } from '#cart_service/order_commands.ts';
import type { Answer, CommandRequest } from '#cart_service/requests.ts';
import { toCreateOrder, toUpdateOrder } from './commands.ts';
import { toSnakeCase } from './field_names.ts';
import { CommandHeaders, CreateOrderBody, Published, UpdateOrderBody } from './schemas.ts';

/** Seconds after which a client may try again: about the time between two probes for Kafka. */
const RETRY_AFTER_S = 1;

const CREATED = 'order created and published successfully';
const UPDATED = 'order status updated and published successfully';

const AFTER_503 =
  'A 503 has the `outcome`. After `unknown`, repeat the request: it answers 200 once the event is published.';

/** The problems that both commands can answer. */
const PROBLEMS: readonly ErrorCode[] = [
  ...BODY_PROBLEMS,
  'IdempotencyKeyReused',
  'StoreUnavailable',
  'KafkaBrokersUnavailable',
  'KafkaTimeout',
  'ProducerQueueFull',
  'ServiceStopping',
];

const UpdateOrder = {
  operationId: 'updateOrder',
  description: 'Changes the status of the new order',
  requestBody: { order_id: '$response.body#/orderId', status: 'confirmed' },
};

export const addOrderRoutes = (app: HttpApp, submit: (request: CommandRequest) => Promise<Answer>): void => {
  const execute = async <Message extends string>(command: Command, request: FastifyRequest, message: Message) => {
    const answer = await submit({
      command,
      idempotencyKey: (request.headers['idempotency-key'] as string | undefined) ?? null,
      traceparent: childTraceparent(traceparentOf(request)),
      span: request.span?.traceparent,
    });
    if (answer.kind === 'refused') throw new Problem(answer.refusal.code, answer.refusal.detail);
    if (answer.kind === 'failed') {
      throw new Problem(answer.code, answer.detail, { outcome: answer.outcome, retryAfter: RETRY_AFTER_S });
    }
    return { message, orderId: command.orderId };
  };

  app.post(
    '/create-order',
    {
      preValidation: normalizeBody,
      config: { problems: [...PROBLEMS, 'OrderAlreadyExists'] },
      links: { 200: { UpdateOrder } },
      schema: {
        operationId: 'createOrder',
        tags: ['orders'],
        summary: 'Creates an order and publishes ORDER_CREATED',
        description: AFTER_503,
        headers: CommandHeaders,
        body: CreateOrderBody,
        response: { 200: Published(CREATED) },
      },
    },
    (request) => execute(toCreateOrder(request.body), request, CREATED),
  );

  app.put(
    '/update-order',
    {
      preValidation: normalizeBody,
      config: { problems: [...PROBLEMS, 'OrderNotFound', 'StatusNotAllowed'] },
      schema: {
        operationId: 'updateOrder',
        tags: ['orders'],
        summary: 'Changes the status of an order and publishes ORDER_STATUS_UPDATED',
        description: `The present status again gets a 200 and publishes nothing. An order cannot go back to \`new\` or leave \`completed\` or \`cancelled\`. ${AFTER_503}`,
        headers: CommandHeaders,
        body: UpdateOrderBody,
        response: { 200: Published(UPDATED) },
      },
    },
    (request) => execute(toUpdateOrder(request.body), request, UPDATED),
  );
};

const normalizeBody = (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void => {
  const { body, errors } = toSnakeCase(request.body);
  request.body = body;
  if (errors.length === 0) done();
  else done(validationProblem(errors));
};
