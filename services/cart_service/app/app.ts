import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { SettingInForce } from '#kafka_common/config.ts';
import { createHttpApp, type HttpApp } from '#service_common/http.ts';
import type { Publisher } from '../publisher.ts';
import { addOrderRoutes } from './api/routes.ts';

/** The Cart Service's HTTP side; it does not listen yet. */
export const createCartApp = async (parts: {
  publisher: Pick<Publisher, 'submit' | 'status'>;
  logger: Logger;
  metrics: Registry;
  settings: readonly SettingInForce[];
}): Promise<HttpApp> => {
  const app = await createHttpApp({
    name: 'Cart Service',
    description: 'Takes orders and changes of their status, and publishes an event for each.',
    logger: parts.logger,
    metrics: parts.metrics,
    settings: parts.settings,
    readiness: () => {
      const status = parts.publisher.status();
      return { ready: status.state === 'open', ...status };
    },
  });
  addOrderRoutes(app, parts.publisher.submit);
  return app;
};
