import type { Logger } from 'pino';
import { type Config, ConfigError, readConfig } from '#kafka_common/config.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { createLogger } from '#service_common/telemetry/logger.ts';
import { onStopSignal } from './stop_signals.ts';
import { StoreError } from './store_error.ts';
import { startTracing, type Tracing } from '#service_common/telemetry/tracing.ts';

export interface RunningService {
  /** For people: where it listens. */
  readonly url: string;
  /** Finishes what is in hand and lets go of everything. */
  close(): Promise<void>;
}

/** Time for `close`; then the process ends all the same, as every store is safe against that. */
const SHUTDOWN_MS = 5_000;

/**
 * Runs one service as a process: reads the settings, starts it, and stops it on SIGINT, SIGTERM or when the parent
 * that forked it goes away. A start that cannot succeed ends with exit code 1 and one line that says what to change.
 */
export const runService = async (
  name: string,
  start: (config: Config, logger: Logger, tracing: Tracing | null) => Promise<RunningService>,
): Promise<void> => {
  try {
    const config = readConfig(process.env);
    const logger = await createLogger(name, config.logLevel, config.logFormat);
    const tracing = await startTracing(name, process.env, logger);
    const service = await start(config, logger, tracing);
    closeOnSignal(logger, async () => {
      await service.close();
      await tracing?.close();
    });
    logger.info({ url: service.url }, 'Application startup complete');
    process.send?.({ ready: service.url });
  } catch (error) {
    console.error(`${name} cannot start: ${startFailure(error)}`);
    process.exit(1);
  }
};

const startFailure = (error: unknown): string => {
  if (error instanceof ConfigError || error instanceof StoreError || error instanceof ListenError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
};

const closeOnSignal = (logger: Logger, close: () => Promise<void>): void => {
  onStopSignal((reason) => {
    logger.info({ reason }, 'stopping');
    setTimeout(() => {
      logger.error({ afterMs: SHUTDOWN_MS }, 'could not stop in time, ending');
      process.exit(1);
    }, SHUTDOWN_MS).unref();
    close().then(
      () => {
        logger.info('stopped');
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ err: error }, 'stopping failed');
        process.exit(1);
      },
    );
  });
};

class ListenError extends Error {}

/** Connections that may wait to be accepted: a busy event loop takes one in a turn. The system has a limit of its own. */
const BACKLOG = 4_096;

/**
 * Listens and returns the address for people. `localhost` is both IPv4 and IPv6.
 * @throws ListenError naming the port and its setting
 */
export const listen = async (app: HttpApp, host: string, port: number, setting: string): Promise<string> => {
  try {
    await app.listen({ host, port, backlog: BACKLOG });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    const reason =
      code === 'EADDRINUSE'
        ? `port ${port} is taken by another program; end that or set ${setting} to another port`
        : code === 'EACCES'
          ? `port ${port} may not be used by this user; set ${setting} to one above 1023`
          : code === 'ENOTFOUND' || code === 'EADDRNOTAVAIL'
            ? `HOST is ${JSON.stringify(host)}, which is no address of this machine`
            : String(error);
    throw new ListenError(reason);
  }
  const address = app.server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  return `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : host}:${actualPort}`;
};
