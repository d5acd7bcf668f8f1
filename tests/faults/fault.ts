import type { Broker } from '#kafka_common/broker.ts';
import type { KafkaBroker, KafkaOptions } from '#tests/kafka/apache_kafka.ts';
import type { Load } from './load.ts';
import type { Proxy } from './proxy.ts';

/** One row of the campaign: a way to break the system, and how often it is played. */
export interface Fault {
  /** The name for `--only`: words joined by hyphens. */
  readonly name: string;
  /** What is done, in a few words for people. */
  readonly title: string;
  readonly rounds: { readonly full: number; readonly short: number };
  /** What the services run on. */
  readonly on: Ground;
  /** Settings of the services, in addition to those of every row. */
  readonly env?: Readonly<Record<string, string>>;
  /** The rate of the steady load (default: 500); null: no load, except what `run` does itself. */
  readonly requestsPerSecond?: number | null;
  /**
   * Rules that do not hold for this row. `first200`: a 200 within 5 s of the heal. `log`: the log has everything that
   * was acknowledged, which is not true after it was cut or recreated. `agreement`: cart and view agree after each
   * round.
   */
  readonly exempt?: readonly ('first200' | 'log' | 'agreement')[];
  /** The most resident memory that a service may use, if it is not the usual limit. */
  readonly residentBytes?: number;
  /** Why this machine cannot play the row, which is then skipped visibly; null: it can. */
  cannotRun?(): string | null;
  /** Runs once, before the load starts. */
  prepare?(stage: Stage): Promise<void>;
  /** Plays one round: begins the fault, ends it, and calls `stage.healed()`. The load runs all the time. */
  run(stage: Stage, round: number): Promise<void>;
  /** More checks at the end of the row, after the services were stopped. @throws if one fails */
  finish?(stage: Stage): Promise<void>;
}

export type Ground =
  | { readonly broker: 'kafka'; readonly options?: KafkaOptions }
  /** Kafka with a proxy between it and the services. */
  | { readonly broker: 'kafka'; readonly proxied: true }
  /** Three brokers, replication 3, `min.insync.replicas` 2. */
  | { readonly broker: 'cluster' }
  /** With `diskMegabytes`, the files are on a separate disk of this size, which a row can fill. */
  | { readonly broker: 'embedded'; readonly diskMegabytes?: number };

/** The running system, for a fault to break. */
export interface Stage {
  readonly kafka: readonly KafkaBroker[];
  /** @throws Error if the row has no proxy */
  readonly proxy: Proxy;
  readonly cart: Service;
  readonly order: Service;
  readonly load: Load;
  /** The tests' own client, which does not use the proxy. */
  readonly broker: Broker;
  readonly topic: string;
  /** `DATA_DIR` of the services; their files are in `storeDir`. */
  readonly dataDir: string;
  readonly storeDir: string;
  /** True in the short campaign: rows that measure or write for long do less. */
  readonly short: boolean;
  /** The factor for time limits, for a machine that is also busy with other work. */
  readonly patience: number;
  /** A random number from 0 to 1, from the seed of the row. */
  random(): number;
  /** The fault has ended: from now on the system must recover by itself. */
  healed(): void;
  /** Pauses the load until cart and view agree, then resumes it. The campaign does the same after every round. */
  agreed(withinMs?: number): Promise<void>;
  /** Starts one more service, which is stopped at the end of the row. */
  start(name: 'cart_service' | 'order_service', env?: Readonly<Record<string, string>>): Promise<Service>;
  /** Adds a line to the report of the row. */
  note(text: string): void;
}

/** A service in its own process. Its port stays the same over restarts. */
export interface Service {
  readonly name: 'cart_service' | 'order_service';
  readonly url: string;
  /** The id of the running process; undefined if there is none. */
  readonly pid: number | undefined;
  /** The last 10,000 lines that its processes have written. */
  readonly output: readonly string[];
  /**
   * Resolves when the service is ready (`Application startup complete`).
   * @param env more settings, for this start only
   */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** `kill -9`; resolves when the process has ended. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  /**
   * Expects the process to end by itself, as at a crash point, without a crash being counted.
   * @returns signal or exit code
   */
  ended(): Promise<number | string | null>;
}
