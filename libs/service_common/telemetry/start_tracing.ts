import type { Logger } from 'pino';
import type { Environment } from '#service_common/config.ts';
import type { Tracing } from './tracing.ts';
import { readTracingSettings } from './tracing_settings.ts';

/**
 * Starts tracing if the `OTEL_*` variables ask for it. Otherwise returns null and loads nothing of the SDK.
 * @throws ConfigError
 */
export const startTracing = async (
  service: string,
  environment: Environment,
  logger: Logger,
): Promise<Tracing | null> => {
  const settings = readTracingSettings(environment);
  if (settings === null) return null;
  const { createTracing } = await import('./tracing_sdk.ts');
  return createTracing(service, settings, logger);
};
