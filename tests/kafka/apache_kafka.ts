/** A real Apache Kafka for tests and development: from its jars if Java and Maven are installed, else in Docker. */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection, metadataV12 } from '@platformatic/kafka';
import { kafkaStarter } from './availability.ts';
import type { BrokerProcess, BrokerSettings } from './broker_process.ts';
import { brokerProperties } from './broker_properties.ts';
import { dockerBroker } from './docker_broker.ts';
import { freePorts } from './free_ports.ts';
import { javaBroker } from './java_broker.ts';

export { kafkaAvailability, kafkaStarter } from './availability.ts';
export { KAFKA_VERSION } from './kafka_jars.ts';

const READY_TIMEOUT_MS = 120_000;
const READY_POLL_MS = 100;

export interface KafkaBroker {
  bootstrapServers: string;
  port: number;
  /** The id of the running Java process; undefined in Docker. */
  readonly pid: number | undefined;
  /** Ends the broker and deletes its data, unless they are in a `dataDir`. */
  stop(): Promise<void>;
  /** `kill -9`; returns when the process has ended. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, and no request is answered. Not on Windows. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /**
   * Starts the broker again with the same data and port, after shutting it down if it runs; returns when it answers.
   */
  restart(): Promise<void>;
}

interface KafkaCluster {
  bootstrapServers: string;
  brokers: KafkaBroker[];
  stop(): Promise<void>;
}

export interface KafkaOptions {
  port?: number;
  /** The port that the broker tells clients to connect to: `port`, unless a proxy is in between. */
  advertisedPort?: number;
  /** The folder for the data; data that are already there are used. Not in Docker. */
  dataDir?: string;
  /** Settings of the broker itself. */
  properties?: Record<string, string | number>;
}

/** Starts one broker, which is its own controller. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaBroker> {
  const [freePort = 0, controllerPort = 0] = await freePorts(2);
  const port = options.port ?? freePort;
  return startBroker({
    nodeId: 1,
    clusterId: newClusterId(),
    port,
    controllerPorts: [controllerPort],
    advertisedPort: options.advertisedPort ?? port,
    dataDir: options.dataDir,
    properties: { ...brokerProperties(1), ...options.properties },
  });
}

/** Starts brokers with a replica of every topic on each; a majority must have a message before it is acknowledged. */
export async function startKafkaCluster(
  size = 3,
  given: NonNullable<KafkaOptions['properties']> = {},
): Promise<KafkaCluster> {
  const ports = await freePorts(2 * size);
  const controllerPorts = ports.splice(size);
  const clusterId = newClusterId();
  const properties = { ...brokerProperties(size), ...given };
  const brokers = await allOrNone(
    ports.map((port, i) =>
      startBroker({ nodeId: i + 1, clusterId, port, advertisedPort: port, controllerPorts, properties }),
    ),
  );
  return {
    bootstrapServers: brokers.map((broker) => broker.bootstrapServers).join(','),
    brokers,
    stop: () => stopAll(brokers),
  };
}

async function startBroker(settings: BrokerSettings): Promise<KafkaBroker> {
  const broker = await brokerProcess(settings);
  const startAndWait = async (): Promise<void> => {
    await broker.start();
    await untilReady(broker, settings);
  };
  try {
    await startAndWait();
  } catch (error) {
    // The error of the start matters more than one of the cleaning up.
    await broker.remove().catch(() => {});
    throw error;
  }
  return {
    bootstrapServers: `localhost:${settings.advertisedPort}`,
    port: settings.port,
    get pid() {
      return broker.pid();
    },
    stop: () => broker.remove(),
    kill: () => broker.kill(),
    pause: () => broker.pause(),
    resume: () => broker.resume(),
    restart: async () => {
      if (await broker.isRunning()) await broker.shutDown();
      await startAndWait();
    },
  };
}

async function brokerProcess(settings: BrokerSettings): Promise<BrokerProcess> {
  const starter = await kafkaStarter();
  if (starter.kind === 'none') throw new Error(`Kafka cannot be started: ${starter.reason}`);
  if (starter.kind === 'java') return javaBroker(settings);
  return dockerBroker(settings);
}

async function untilReady(broker: BrokerProcess, settings: BrokerSettings): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  while (!(await isReady(settings))) {
    const ended = !(await broker.isRunning());
    if (ended || Date.now() > deadline) {
      const what = ended ? 'ended while starting' : `does not answer after ${READY_TIMEOUT_MS} ms`;
      throw new Error(`Kafka on port ${settings.port} ${what}. The end of its log:\n${await broker.endOfLog()}`);
    }
    await delay(READY_POLL_MS);
  }
}

/** A broker lists itself in its metadata only once its controller lets it serve clients. */
async function isReady({ port, nodeId }: BrokerSettings): Promise<boolean> {
  const connection = new Connection('kafka-ready', { connectTimeout: 1_000, requestTimeout: 1_000 });
  // A reset connection also emits an event: Docker accepts connections for a broker that does not listen yet.
  connection.on('error', () => {});
  try {
    await connection.connect('localhost', port);
    const { brokers } = await metadataV12.api.async(connection, []);
    return brokers.some((broker) => broker.nodeId === nodeId);
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

async function allOrNone(starts: Promise<KafkaBroker>[]): Promise<KafkaBroker[]> {
  const results = await Promise.allSettled(starts);
  const brokers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failure = results.find((result) => result.status === 'rejected');
  if (!failure) return brokers;
  await stopAll(brokers);
  throw failure.reason;
}

async function stopAll(brokers: KafkaBroker[]): Promise<void> {
  await Promise.all(brokers.map((broker) => broker.stop()));
}

/** An id in Kafka's own form. It never begins with a hyphen, because the format tool would read it as an option. */
function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A');
}
