import type { Logger } from 'pino';
import type { Broker, Fate, Topic } from '#kafka_common/broker.ts';
import { notifyObservers } from '#service_common/telemetry/observers.ts';
import type { CommandRequest } from '#cart_service/requests.ts';
import type { OutboxRow } from '#cart_service/store/cart_store.ts';

/** The events of one send to the broker, and their fates. */
export interface Publish {
  readonly rows: readonly OutboxRow[];
  /** The requests that caused the events, by index; null if the relay sent them again. */
  readonly requests: readonly CommandRequest[] | null;
  /** By index. */
  readonly fates: readonly Fate[];
  /** On the clock of `performance.now()`. */
  readonly startedAt: number;
  readonly endedAt: number;
}

/**
 * Called with every publish, before its requests are answered: for metrics, traces and log lines. What it throws is
 * logged, and changes no answer.
 */
export type PublishObserver = (publish: Publish) => void;

/** Sends events to the broker. */
export interface EventSender {
  /** @returns the fate of each event, by index */
  send(topic: Topic, rows: readonly OutboxRow[], requests: Publish['requests']): Promise<readonly Fate[]>;
  /** When the broker last acknowledged an event, ms since 1970; null if it has not since the start. */
  readonly lastAcknowledgedAt: number | null;
}

/** The fate of an event for which the broker returned none. */
export const NO_FATE = { kind: 'unknown', detail: 'the broker returned no fate' } as const satisfies Fate;

export const createEventSender = (options: {
  broker: Pick<Broker, 'publish'>;
  observers: readonly PublishObserver[];
  publishTimeoutMs: number;
  /** Ms since 1970. */
  now: () => number;
  logger: Logger;
}): EventSender => {
  const { broker, observers, publishTimeoutMs, now, logger } = options;
  let lastAcknowledgedAt: number | null = null;

  return {
    async send(topic, rows, requests) {
      const startedAt = performance.now();
      const messages = rows.map(({ message }) => message);
      const fates = await broker.publish(topic, messages, publishTimeoutMs);
      const publish = { rows, requests, fates, startedAt, endedAt: performance.now() };
      notifyObservers(observers, publish, logger, 'an observer of publishes failed; no answer is changed by that');
      if (fates.some(({ kind }) => kind === 'acknowledged')) lastAcknowledgedAt = now();
      return fates;
    },
    get lastAcknowledgedAt() {
      return lastAcknowledgedAt;
    },
  };
};
