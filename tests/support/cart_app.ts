import assert from 'node:assert/strict';
import { after, before, beforeEach } from 'node:test';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { readConfig } from '#kafka_common/config.ts';
import { type ErrorCode, ERRORS } from '#service_common/errors.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { createCartApp } from '#cart_service/app/app.ts';
import type { PublisherStatus } from '#cart_service/publisher.ts';
import { type Answer, type CommandRequest, DONE } from '#cart_service/requests.ts';
import { holdToDescription } from './described_app.ts';

export const ROUTES = {
  create: { method: 'POST', url: '/create-order' },
  update: { method: 'PUT', url: '/update-order' },
} as const;

export const CONSOLE_ORIGIN = 'http://localhost:8001';

export type Route = keyof typeof ROUTES;

export const BOTH = Object.keys(ROUTES) as Route[];

/** A body that the route accepts. Tests change it. */
export const VALID: Readonly<Record<Route, Record<string, unknown>>> = {
  create: { order_id: '123', number_of_items: 3 },
  update: { order_id: '123', status: 'confirmed' },
};

export const OPEN: PublisherStatus = {
  state: 'open',
  reason: null,
  waiting: 0,
  unsettled: 0,
  oldestUnsettledAt: null,
  dropped: 0,
  lastAcknowledgedAt: null,
};

const JSON_TYPE = { 'content-type': 'application/json' };

const succeed = (): Promise<Answer> => Promise.resolve(DONE);

/**
 * The HTTP side of the Cart Service for the tests of one file, on a free port. A test sets the answers and the status of
 * its publisher; by default every command succeeds.
 */
export const useTestCart = () => {
  let app: HttpApp;

  const sendText = (route: Route, payload: string | Buffer, headers: Record<string, string> = JSON_TYPE) =>
    app.inject({ ...ROUTES[route], payload, headers });

  const cart = {
    /** The requests that the routes submitted in this test. */
    submitted: [] as CommandRequest[],
    submit: succeed,
    status: OPEN,
    storeFailure: null as string | null,
    get app() {
      return app;
    },
    sendText,
    send: (route: Route, body: unknown, headers: Record<string, string> = {}) =>
      sendText(route, JSON.stringify(body), { ...JSON_TYPE, ...headers }),
  };

  before(async () => {
    app = holdToDescription(
      await createCartApp({
        settings: readConfig({}).settings,
        publisher: {
          submit(request) {
            cart.submitted.push(request);
            return cart.submit();
          },
          status: () => cart.status,
        },
        warnings: () => [],
        storeFailure: () => cart.storeFailure,
        logger: pino({ level: 'silent' }),
        metrics: new Registry(),
        consoleOrigins: [CONSOLE_ORIGIN],
      }),
    );
    await app.listen({ host: '127.0.0.1', port: 0 });
  });

  beforeEach(() => {
    Object.assign(cart, { submitted: [], submit: succeed, status: OPEN, storeFailure: null });
  });

  after(() => app.close());

  return cart;
};

export type Response = Awaited<ReturnType<ReturnType<typeof useTestCart>['send']>>;

/** Asserts that an answer is a problem with this code. @returns its body */
export const problemOf = (response: Response, code: ErrorCode): Record<string, unknown> => {
  const body = response.json<Record<string, unknown>>();
  assert.equal(body['code'], code, response.body);
  assert.equal(response.headers['content-type'], 'application/problem+json');
  const { status: expected, title } = ERRORS[code];
  assert.deepEqual([response.statusCode, body['status'], body['title']], [expected, expected, title]);
  return body;
};

export const wrongFields = (response: Response): string[] => {
  const errors = problemOf(response, 'ValidationFailed')['errors'] as { field: string }[];
  return errors.map(({ field }) => field);
};
