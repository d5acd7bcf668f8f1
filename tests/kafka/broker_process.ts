/** What the fault tests may do to one broker, however it is run. Its data outlive everything but `remove`. */
export interface BrokerProcess {
  /** The broker's own process id; none where it lives in a container. */
  pid(): number | undefined;
  isRunning(): Promise<boolean>;
  /** Returns once the process exists, which is before it answers. */
  start(): Promise<void>;
  /** A clean shutdown, within bounded time. */
  shutDown(): Promise<void>;
  /** `kill -9`; returns once the process is gone. */
  kill(): Promise<void>;
  /** Stands still with its connections open, as a broker in a long garbage collection does. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  endOfLog(): Promise<string>;
  /** Ends it and removes its data, unless its user named the folder they are kept in. */
  remove(): Promise<void>;
}

export interface BrokerSettings {
  nodeId: number;
  clusterId: string;
  /** The port the broker listens on, on this machine. */
  port: number;
  /** The port it tells clients to connect to: another one where a proxy stands in between. */
  advertisedPort: number;
  /** One for each node of the cluster, by node id from 1. */
  controllerPorts: number[];
  properties: Record<string, string | number>;
  /** Keeps the data in this folder; without it they go with the broker. */
  dataDir?: string | undefined;
}
