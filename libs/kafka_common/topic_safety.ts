import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Broker } from './broker.ts';

/** Milliseconds between two looks, and before the next one if the topic could not be looked at. */
const LOOK_MS = 180_000;
const RETRY_MS = 5_000;

interface TopicSafetyOptions {
  readonly broker: Pick<Broker, 'topicWarnings'>;
  readonly topic: string;
  readonly logger: Pick<Logger, 'warn'>;
  /** Ends the looks. */
  readonly signal: AbortSignal;
  readonly lookMs?: number;
}

/**
 * Looks at what endangers the records of the topic, now and every few minutes, and logs each danger once.
 * @returns the dangers of the last look
 */
export const watchTopicSafety = (options: TopicSafetyOptions): (() => readonly string[]) => {
  const { broker, topic, logger, signal, lookMs = LOOK_MS } = options;
  let warnings: readonly string[] = [];

  const look = async (): Promise<void> => {
    const found = await broker.topicWarnings(topic);
    for (const warning of found) if (!warnings.includes(warning)) logger.warn({ topic }, warning);
    warnings = found;
  };

  const lookAgainAndAgain = async (): Promise<void> => {
    while (!signal.aborted) {
      const pauseMs = await look().then(
        () => lookMs,
        () => Math.min(RETRY_MS, lookMs),
      );
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
  };

  void lookAgainAndAgain();
  return () => warnings;
};
