/** `npm run kafka`: runs a real broker for development until Ctrl+C, and keeps its data. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { onStopSignal } from '#service_common/stop_signals.ts';
import { readOptions } from '#tests/support/command_options.ts';
import { KAFKA_VERSION, kafkaStarter, startKafka } from './apache_kafka.ts';
import { isPortFree } from './free_ports.ts';
import { KAFKA_FOLDER } from './kafka_jars.ts';

const COMPOSE_FILE = join(import.meta.dirname, '..', '..', 'docker-compose-kafka.yml');

const USAGE = `npm run kafka -- [--port N]

  --port N   the port of the broker (default: 9092)`;

const values = readOptions(USAGE, { port: { type: 'string', default: '9092' } });
await run(Number(values.port)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});

async function run(port: number): Promise<void> {
  const starter = await kafkaStarter();
  if (starter.kind === 'none') throw new Error(`Kafka ${starter.reason}.`);
  if (!(await isPortFree(port))) {
    throw new Error(
      `Port ${port} is in use, perhaps by another Kafka. To use another port: npm run kafka -- --port 9192`,
    );
  }
  await (starter.kind === 'java' ? runFromJars(port) : runInDocker(port));
}

async function runFromJars(port: number): Promise<void> {
  console.log(`Starting Apache Kafka ${KAFKA_VERSION}; it is downloaded first if it is not here yet.`);
  // One folder per port: two brokers ruin a shared folder, because KRaft takes its lock only after it has written.
  const dataDir = join(KAFKA_FOLDER, 'dev-data', String(port));
  const kafka = await startKafka({ port, dataDir });
  console.log(`Kafka is ready on ${kafka.bootstrapServers}. Its data are in .kafka/dev-data/${port}. Ctrl+C stops it.`);
  console.log(whatNext(port));
  const endedByItself = (): void => {
    console.error(`Kafka ended by itself: see ${join(dataDir, 'broker.log')}`);
    process.exitCode = 1;
  };
  // Only the broker's process keeps this one running, so `beforeExit` means that the broker has ended.
  process.once('beforeExit', endedByItself);
  onStopSignal(() => {
    process.off('beforeExit', endedByItself);
    void kafka.stop().then(() => console.log('Kafka has stopped.'));
  });
}

async function runInDocker(port: number): Promise<void> {
  console.log(`Starting Apache Kafka ${KAFKA_VERSION} in Docker. Ctrl+C stops it.`);
  console.log(whatNext(port));
  const compose = spawn('docker', ['compose', '--file', COMPOSE_FILE, 'up'], {
    stdio: 'inherit',
    env: { ...process.env, KAFKA_PORT: String(port) },
  });
  onStopSignal(() => void compose.kill('SIGTERM'));
  await once(compose, 'exit');
}

function whatNext(port: number): string {
  return [
    'In another terminal:',
    `  bash:        KAFKA_BOOTSTRAP_SERVERS=localhost:${port} npm start`,
    `  PowerShell:  $env:KAFKA_BOOTSTRAP_SERVERS="localhost:${port}"; npm start`,
  ].join('\n');
}
