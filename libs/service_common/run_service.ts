import type { Logger } from 'pino';
import { createLogger } from '#service_common/telemetry/logger.ts';
import { startTracing } from '#service_common/telemetry/start_tracing.ts';
import type { Tracing } from '#service_common/telemetry/tracing.ts';
import { ConfigError, type Environment } from './config.ts';
import { ListenError } from './http/http_app.ts';
import { onStopSignal } from './stop_signals.ts';
import { StoreError } from './store_error.ts';

export interface RunningService {
  /** The address for people. */
  readonly url: string;
  /** Finishes the requests inside and releases everything. */
  close(): Promise<void>;
}

interface LogSettings {
  readonly logLevel: string;
  readonly logFormat: string;
}

/** Time for `close`. After that the process ends all the same, because every store survives a killed process. */
const SHUTDOWN_MS = 5_000;

/**
 * Runs one service as a process: reads its settings, starts it, and stops it on SIGINT, SIGTERM or when the parent
 * that forked it goes away. If the start cannot succeed, the process ends with exit code 1 and a line that says what to
 * change.
 */
export const runService = async <Config extends LogSettings>(
  name: string,
  readConfig: (environment: Environment) => Config,
  start: (config: Config, logger: Logger, tracing: Tracing | null) => Promise<RunningService>,
): Promise<void> => {
  try {
    const config = readConfig(process.env);
    const logger = await createLogger(name, config.logLevel, config.logFormat);
    // A start can wait for long, and must hear the signal too. A store needs no closing: it survives a killed process.
    let close: (() => Promise<void>) | null = null;
    closeOnSignal(logger, async () => close?.());
    const tracing = await startTracing(name, process.env, logger);
    const service = await start(config, logger, tracing);
    close = async () => {
      await service.close();
      await tracing?.close();
    };
    logger.info({ url: service.url }, 'Application startup complete');
    process.send?.({ ready: service.url });
  } catch (error) {
    console.error(`${name} cannot start: ${describeFailure(error)}`);
    process.exit(1);
  }
};

/** One line for what a person can change, the stack for a fault of the program. */
const describeFailure = (error: unknown): string => {
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
