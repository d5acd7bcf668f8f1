/** A real Apache Kafka for tests and development: from its jars where Java and Maven are, else in Docker. */
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
  /** Of the running Java process; undefined in Docker. */
  readonly pid: number | undefined;
  /** Ends it; its data go too, unless they are kept in a `dataDir`. */
  stop(): Promise<void>;
  /** `kill -9`; returns once the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open and nothing is answered. Not on Windows. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** The same data and port, after `kill` or in place of the running one; returns when it answers. */
  restart(): Promise<void>;
}

interface KafkaCluster {
  bootstrapServers: string;
  brokers: KafkaBroker[];
  stop(): Promise<void>;
}

export interface KafkaOptions {
  port?: number;
  /** What clients are told to connect to; `port` itself, unless a proxy stands in between. */
  advertisedPort?: number;
  /** Keeps the data there, and goes on with what is in it. Not in Docker. */
  dataDir?: string;
  /** Any of the broker's own settings. */
  properties?: Record<string, string | number>;
}

/** One broker, which is its own controller. */
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

/** Every topic has a replica on each broker, and most of them must have what is acknowledged. */
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
    // Why it did not start matters more than what is left of it.
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
  // A reset connection is an event too, besides the rejection: Docker accepts for a broker that does not listen yet.
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

/** Kafka's own form, which never begins with a hyphen: the formatting tool would take that for an option. */
function newClusterId(): string {
  return randomBytes(16).toString('base64url').replace(/^-/, 'A');
}
