import type { FastifyRequest } from 'fastify';
import { Problem, validationProblem } from '#service_common/errors.ts';
import { type HttpApp, ProblemRef } from '#service_common/http.ts';
import { traceparentOf } from '#service_common/http_tracing.ts';
import { childTraceparent } from '#service_common/trace_context.ts';
import type { Command } from '../../order_commands.ts';
import type { Answer, Request } from '../../requests.ts';
import { toCreateOrder, toUpdateOrder } from './commands.ts';
import { toSnakeCase } from './field_names.ts';
import { CommandHeaders, CreateOrderBody, Published, UpdateOrderBody } from './schemas.ts';

/** Seconds after which a client may try again: about as often as Kafka is looked for. */
const RETRY_AFTER_S = 1;

export const addOrderRoutes = (app: HttpApp, submit: (request: Request) => Promise<Answer>): void => {
  const execute = async (command: Command, request: FastifyRequest, message: string) => {
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
      schema: {
        tags: ['orders'],
        summary: 'Creates an order and publishes ORDER_CREATED',
        headers: CommandHeaders,
        body: CreateOrderBody,
        response: { 200: Published, '4xx': ProblemRef, '5xx': ProblemRef },
      },
    },
    (request) => execute(toCreateOrder(request.body), request, 'order created and published successfully'),
  );

  app.put(
    '/update-order',
    {
      preValidation: normalizeBody,
      schema: {
        tags: ['orders'],
        summary: 'Changes the status of an order and publishes ORDER_STATUS_UPDATED',
        headers: CommandHeaders,
        body: UpdateOrderBody,
        response: { 200: Published, '4xx': ProblemRef, '5xx': ProblemRef },
      },
    },
    (request) => execute(toUpdateOrder(request.body), request, 'order status updated and published successfully'),
  );
};

const normalizeBody = (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void): void => {
  const { body, errors } = toSnakeCase(request.body);
  request.body = body;
  if (errors.length === 0) done();
  else done(validationProblem(errors));
};
