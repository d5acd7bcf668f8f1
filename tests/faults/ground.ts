import { join } from 'node:path';
import type { Broker } from '#kafka_common/broker.ts';
import { createEmbeddedBroker } from '#kafka_common/embedded/embedded_broker.ts';
import { createKafkaBroker } from '#kafka_common/kafka/kafka_broker.ts';
import { type KafkaBroker, startKafka, startKafkaCluster } from '#tests/kafka/apache_kafka.ts';
import { freePorts } from '#tests/kafka/free_ports.ts';
import type { Ground } from './fault.ts';
import { createProxy, type Proxy } from './proxy.ts';
import { mountSmallDisk } from './small_disk.ts';

/** The running brokers of a row. */
export interface StartedGround {
  readonly kafka: readonly KafkaBroker[];
  readonly proxy: Proxy | null;
  /** `KAFKA_BOOTSTRAP_SERVERS` of the services; empty for the embedded broker. */
  readonly bootstrapServers: string;
  readonly client: Broker;
  /** The folder of the services' files. */
  readonly storeDir: string;
  close(): Promise<void>;
}

/** The timestamp of each record is the broker's: it shows when the log took it. */
const STAMPED = { 'log.message.timestamp.type': 'LogAppendTime' };

/**
 * With these settings a dead follower leaves the in-sync replicas within 2 to 3 s, even if the controller died with it.
 * Until then, the partitions of the other leaders wait for it, because of `acks=all`. If that took longer than a
 * publish may take (4 s), their orders would be refused. Kafka's defaults are 9 s, 2 s, 30 s, 2 s and 1 s.
 */
const QUICK_TO_FENCE = {
  'broker.session.timeout.ms': 1_500,
  'broker.heartbeat.interval.ms': 300,
  'replica.lag.time.max.ms': 1_500,
  'controller.quorum.fetch.timeout.ms': 1_000,
  'controller.quorum.election.timeout.ms': 500,
};

export const startGround = async (ground: Ground, dataDir: string): Promise<StartedGround> => {
  if (ground.broker === 'embedded') {
    const disk = ground.diskMegabytes === undefined ? null : mountSmallDisk(dataDir, ground.diskMegabytes);
    const storeDir = join(dataDir, 'embedded');
    const client = createEmbeddedBroker({ directory: storeDir });
    const close = async (): Promise<void> => {
      await client.close();
      disk?.remove();
    };
    return { kafka: [], proxy: null, bootstrapServers: '', client, storeDir, close };
  }
  const storeDir = join(dataDir, 'kafka');
  if (ground.broker === 'cluster') {
    const cluster = await startKafkaCluster(3, { ...STAMPED, ...QUICK_TO_FENCE });
    const client = clientOf(cluster.bootstrapServers);
    const close = async (): Promise<void> => {
      await client.close();
      await cluster.stop();
    };
    return { kafka: cluster.brokers, proxy: null, bootstrapServers: cluster.bootstrapServers, client, storeDir, close };
  }
  if ('proxied' in ground) return { ...(await startProxied()), storeDir };
  const { options } = ground;
  const kafka = await startKafka({ ...options, properties: { ...STAMPED, ...options?.properties } });
  const client = clientOf(kafka.bootstrapServers);
  const close = async (): Promise<void> => {
    await client.close();
    await kafka.stop();
  };
  return { kafka: [kafka], proxy: null, bootstrapServers: kafka.bootstrapServers, client, storeDir, close };
};

/** The broker has a second listener, past the proxy, for the tests' own client. */
const startProxied = async (): Promise<Omit<StartedGround, 'storeDir'>> => {
  const [port = 0, directPort = 0, controllerPort = 0] = await freePorts(3);
  const proxy = await createProxy({ targetPort: port });
  try {
    const kafka = await startKafka({
      port,
      advertisedPort: proxy.port,
      properties: {
        ...STAMPED,
        'controller.quorum.voters': `1@localhost:${controllerPort}`,
        listeners: `PLAINTEXT://localhost:${port},DIRECT://localhost:${directPort},CONTROLLER://localhost:${controllerPort}`,
        'advertised.listeners': `PLAINTEXT://localhost:${proxy.port},DIRECT://localhost:${directPort}`,
        'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT',
        'inter.broker.listener.name': 'DIRECT',
      },
    });
    const client = clientOf(`localhost:${directPort}`);
    const close = async (): Promise<void> => {
      await client.close();
      await proxy.close();
      await kafka.stop();
    };
    return { kafka: [kafka], proxy, bootstrapServers: kafka.bootstrapServers, client, close };
  } catch (error) {
    await proxy.close();
    throw error;
  }
};

const clientOf = (bootstrapServers: string): Broker =>
  createKafkaBroker({ bootstrapServers: bootstrapServers.split(','), clientId: 'fault-lab' });
