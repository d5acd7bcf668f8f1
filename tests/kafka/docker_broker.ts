import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { BrokerProcess, BrokerSettings } from './broker_process.ts';
import { KAFKA_VERSION } from './kafka_jars.ts';
import { startWatchdog } from './watchdog.ts';

export async function docker(...args: string[]): Promise<string> {
  const { stdout, stderr } = await promisify(execFile)('docker', args);
  return stdout + stderr;
}

/** A single broker in a container. Its data stay until it is removed. */
export function dockerBroker(settings: BrokerSettings): BrokerProcess {
  if (settings.dataDir || settings.controllerPorts.length > 1)
    throw new Error('A data folder or a cluster needs Java: Docker runs single brokers only.');
  const container = `order-events-kafka-${settings.port}`;
  const watchdog = startWatchdog({ container });
  let created = false;

  async function start(): Promise<void> {
    if (created) await docker('start', container);
    else await docker('run', '--detach', '--name', container, ...runOptions(settings), `apache/kafka:${KAFKA_VERSION}`);
    created = true;
  }

  async function remove(): Promise<void> {
    await docker('rm', '--force', '--volumes', container);
    watchdog.end();
  }

  return {
    pid: () => undefined,
    isRunning: async () => (await docker('inspect', '--format', '{{.State.Running}}', container)).trim() === 'true',
    start,
    shutDown: async () => void (await docker('stop', container)),
    kill: async () => void (await docker('kill', container)),
    pause: async () => void (await docker('pause', container)),
    resume: async () => void (await docker('unpause', container)),
    endOfLog: () => docker('logs', '--tail', '20', container),
    remove,
  };
}

function runOptions({ port, advertisedPort, properties }: BrokerSettings): string[] {
  const environment = {
    'node.id': 1,
    'controller.quorum.voters': '1@localhost:9093',
    listeners: 'PLAINTEXT://:9092,CONTROLLER://:9093',
    'advertised.listeners': `PLAINTEXT://localhost:${advertisedPort}`,
    ...properties,
  };
  const settings = Object.entries(environment).map(([name, value]) => `${environmentName(name)}=${value}`);
  return ['--publish', `127.0.0.1:${port}:9092`, ...settings.flatMap((setting) => ['--env', setting])];
}

/** The variable that the image turns into the property: `KAFKA_LOG_DIRS` for `log.dirs`. */
function environmentName(property: string): string {
  return `KAFKA_${property.toUpperCase().replaceAll('.', '_')}`;
}
