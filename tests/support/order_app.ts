import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { type Broker, BrokerError } from '#kafka_common/broker.ts';
import { readConfig } from '#kafka_common/config.ts';
import type { HttpApp } from '#service_common/http/http_app.ts';
import { holdToDescription } from './described_app.ts';
import type { AppliedBatch, ConsumerDb } from '#order_service/consumer_db.ts';
import { createSqliteConsumerDb } from '#order_service/store/sqlite/sqlite_consumer_db.ts';
import type { RunnerStatus } from '#order_service/consuming/runner_status.ts';
import { createEventFeed } from '#order_service/live/event_feed.ts';
import { createFlow } from '#order_service/live/flow.ts';
import { createFlowSamples } from '#order_service/live/flow_samples.ts';
import { createOrderWaiters, type OrderWaiters } from '#order_service/live/order_waiters.ts';
import { createViewWatch } from '#order_service/live/view_watch.ts';
import { createRedriver } from '#order_service/redrive/redrive.ts';
import { anAppliedBatch, applyNext, anOrder } from './events.ts';
import { REDRIVE_PROOF } from './redrive_proof.ts';
import { createTestLog } from './test_log.ts';
import { presentEvent } from '#order_service/app/api/events_stream.ts';
import { createOrderApp } from '#order_service/app/app.ts';

export const NOW = 1_768_737_600_000;
export const CART_URL = 'http://localhost:8000';
export const TOPIC = 'orders.events';

export const CONSUMING: RunnerStatus = {
  state: 'consuming',
  attempt: 0,
  assigned: [0],
  reason: null,
  topicChange: null,
  positions: {},
  lag: {},
  heldUp: {},
  positionsLost: 0,
  outcomes: { applied: 0, duplicate: 0, waiting: 0, conflict: 0 },
  deadLetters: 0,
  keyMismatches: 0,
  storeFailure: null,
};

export interface AppParts {
  readonly db: ConsumerDb;
  readonly waiters: OrderWaiters;
  readonly broker?: OrderBroker;
  readonly runnerStatus?: () => RunnerStatus;
}

type OrderBroker = Pick<Broker, 'bounds' | 'describeTopic' | 'publish'>;

const NO_BROKER: OrderBroker = {
  bounds: () => Promise.reject(new BrokerError('UNAVAILABLE', 'no broker here')),
  describeTopic: () => Promise.reject(new BrokerError('UNAVAILABLE', 'no broker here')),
  publish: async (_topic, messages) => messages.map(() => ({ kind: 'not_written', detail: 'no broker here' })),
};

export const newApp = async ({
  db,
  waiters,
  broker = NO_BROKER,
  runnerStatus = () => CONSUMING,
}: AppParts): Promise<HttpApp> =>
  holdToDescription(
    await createOrderApp({
      db,
      waiters,
      redriver: createRedriver({ db, broker, topic: TOPIC, proof: REDRIVE_PROOF }),
      feed: createEventFeed({ db, watch: createViewWatch({ db }), present: presentEvent, limit: 2 }),
      flow: createFlow({
        db,
        broker,
        samples: createFlowSamples({ now: () => NOW }),
        status: runnerStatus,
        warnings: () => [],
        topic: TOPIC,
        group: 'order-service',
      }),
      runnerStatus,
      warnings: () => [],
      topic: TOPIC,
      logger: createTestLog().logger,
      metrics: new Registry(),
      settings: readConfig({}).settings,
      cartUrl: CART_URL,
      now: () => NOW,
    }),
  );

/** The app on an empty store, with functions that apply events as the runner does. */
export const createTestApp = async () => {
  const directory = await mkdtemp(join(tmpdir(), 'order-app-'));
  const db = createSqliteConsumerDb({ directory });
  const waiters = createOrderWaiters({ limit: 2, db, watch: createViewWatch({ db }) });
  const app = await newApp({ db, waiters });

  const apply = (changes: Partial<AppliedBatch>): Promise<void> => applyNext(db, anAppliedBatch(changes));

  return {
    app,
    db,
    waiters,
    apply,
    arrive: async (orderId: string): Promise<void> => {
      const view = { orderId, version: 1, status: 'new', pendingSince: null } as const;
      await apply({ views: [view], orders: [anOrder(orderId)] });
      waiters.arrived([orderId]);
    },
    get: async (url: string, headers: Record<string, string> = {}) => {
      const response = await app.inject({ method: 'GET', url, headers });
      return { status: response.statusCode, headers: response.headers, body: response.json() };
    },
    close: async (): Promise<void> => {
      await app.close();
      await db.close();
      await rm(directory, { recursive: true });
    },
  };
};
