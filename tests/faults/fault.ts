import type { Broker } from '#kafka_common/broker.ts';
import type { KafkaBroker, KafkaOptions } from '#tests/kafka/apache_kafka.ts';
import type { Load } from './load.ts';
import type { Proxy } from './proxy.ts';

/** One row of the campaign: a way to break the system, and how often. */
export interface Fault {
  /** For `--only`, in words joined by hyphens. */
  readonly name: string;
  /** For people: what is done, in a few words. */
  readonly title: string;
  readonly rounds: { readonly full: number; readonly short: number };
  /** What the services run on. */
  readonly on: Ground;
  /** Settings of the services, beside those that every row has. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the steady load; null: none but what `run` does itself. The standard is 500. */
  readonly requestsPerSecond?: number | null;
  /**
   * What the row may do that others may not, each with its reason: no 200 must come within 5 s of the heal (`first200`),
   * a log that was cut or swapped no longer tells all that was acknowledged (`log`).
   */
  readonly exempt?: readonly ('first200' | 'log' | 'agreement')[];
  /** Why this machine cannot play it, for a visible skip; null: it can. */
  cannotRun?(): string | null;
  /** Once, before the load starts. */
  prepare?(stage: Stage): Promise<void>;
  /** One round: brings the fault in, takes it away, and says so by `stage.healed()`. The load runs all the while. */
  run(stage: Stage, round: number): Promise<void>;
  /** More checks, once the services have been stopped at the end of the row. @throws where one fails */
  finish?(stage: Stage): Promise<void>;
}

export type Ground =
  | { readonly broker: 'kafka'; readonly options?: KafkaOptions }
  /** With the proxy between the services and the broker. */
  | { readonly broker: 'kafka'; readonly proxied: true }
  /** Three brokers, replication 3, `min.insync.replicas` 2. */
  | { readonly broker: 'cluster' }
  /** On a disk of its own of so many megabytes, where they are given: a row can fill it. */
  | { readonly broker: 'embedded'; readonly diskMegabytes?: number };

/** What a fault has to play with. */
export interface Stage {
  readonly kafka: readonly KafkaBroker[];
  /** @throws where the row's ground has none */
  readonly proxy: Proxy;
  readonly cart: Service;
  readonly order: Service;
  readonly load: Load;
  /** A client of the tests' own, which goes past the proxy. */
  readonly broker: Broker;
  readonly topic: string;
  /** `DATA_DIR` of the services; their files lie in `storeDir`. */
  readonly dataDir: string;
  readonly storeDir: string;
  /** Of the short campaign: rows that measure or write for long do less of it. */
  readonly short: boolean;
  /** What limits of time are multiplied by, on a machine that has other things to do. */
  readonly patience: number;
  /** 0 to 1, from the seed of the row. */
  random(): number;
  /** The fault is over: from now on all must come right by itself. */
  healed(): void;
  /** Resolves once cart and view hold the same, with the load paused; resumes it. Every round ends with it, without being told. */
  agreed(withinMs?: number): Promise<void>;
  /** Starts another service beside the two, stopped at the end of the row. */
  start(name: 'cart_service' | 'order_service', env?: Readonly<Record<string, string>>): Promise<Service>;
  /** A line for the closing table. */
  note(text: string): void;
}

/** A service as a process, on a port that stays the same over restarts. */
export interface Service {
  readonly name: 'cart_service' | 'order_service';
  readonly url: string;
  /** Of the running process; undefined while there is none. */
  readonly pid: number | undefined;
  /** The lines that its processes have written, the last 10,000 of them. */
  readonly output: readonly string[];
  /** Resolves once it is ready (`Application startup complete`). @param env beside the settings of the row, for this start only */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** `kill -9`; resolves once it is gone. */
  kill(): Promise<void>;
  /** SIGTERM; resolves with the exit code once it is gone. */
  stop(): Promise<number | null>;
  /** SIGSTOP and SIGCONT. */
  pause(): void;
  resume(): void;
  /** Resolves with the signal or code when the present process ends by itself, as one that kills itself at a crash point does. Not counted as a crash. */
  ended(): Promise<number | string | null>;
}
