/** The process of one broker, in Java or in Docker. Only `remove` deletes its data. */
export interface BrokerProcess {
  /** The broker's process id; undefined in a container. */
  pid(): number | undefined;
  isRunning(): Promise<boolean>;
  /** Returns when the process exists, which is before it answers. */
  start(): Promise<void>;
  /** Shuts the broker down in order; kills it if that takes too long. */
  shutDown(): Promise<void>;
  /** `kill -9`; returns when the process has ended. */
  kill(): Promise<void>;
  /** Stops the process with its connections open, as a long garbage collection does. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  endOfLog(): Promise<string>;
  /** Ends the broker and deletes its data, unless they are in a given `dataDir`. */
  remove(): Promise<void>;
}

export interface BrokerSettings {
  nodeId: number;
  clusterId: string;
  /** The port the broker listens on, on this machine. */
  port: number;
  /** The port that the broker tells clients to connect to: another one if a proxy is in between. */
  advertisedPort: number;
  /** One for each node of the cluster, by node id from 1. */
  controllerPorts: number[];
  properties: Record<string, string | number>;
  /** The folder for the data; without it, the data are deleted with the broker. */
  dataDir?: string | undefined;
}
