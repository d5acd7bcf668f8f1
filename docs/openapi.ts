import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createCartApp } from '#cart_service/app/app.ts';
import { createOrderApp } from '#order_service/app/app.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';

/** The document that a service shows at `/documentation/json`. No route is called, so the parts of the app can be empty. */
const documentOf = async (app: HttpApp): Promise<object> => {
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
};

const silent = { logger: pino({ level: 'silent' }), metrics: () => new Registry() };

export const cartDocument = async (): Promise<object> =>
  documentOf(
    await createCartApp({
      publisher: {} as never,
      storeFailure: () => null,
      warnings: () => [],
      settings: [],
      consoleOrigins: [],
      logger: silent.logger,
      metrics: silent.metrics(),
    }),
  );

export const orderDocument = async (): Promise<object> =>
  documentOf(
    await createOrderApp({
      db: {} as never,
      waiters: { close: () => {} } as never,
      redriver: {} as never,
      feed: { close: () => {} } as never,
      flow: {} as never,
      warnings: () => [],
      runnerStatus: () => ({}) as never,
      topic: 'orders.events',
      cartUrl: 'http://localhost:8000',
      settings: [],
      logger: silent.logger,
      metrics: silent.metrics(),
      now: () => 0,
    }),
  );
