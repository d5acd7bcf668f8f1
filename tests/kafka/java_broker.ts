import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { BrokerProcess, BrokerSettings } from './broker_process.ts';
import { javaCommand } from './java.ts';
import { kafkaClassPath } from './kafka_jars.ts';
import { startWatchdog } from './watchdog.ts';

const HEAP = '-Xmx256m';
/** For a short process: the quick compiler only. */
const SHORT_LIVED = '-XX:TieredStopAtLevel=1';
const SHUTDOWN_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 10_000;

export async function javaBroker(settings: BrokerSettings): Promise<BrokerProcess> {
  const classPath = await kafkaClassPath();
  const temporary = settings.dataDir ? undefined : await mkdtemp(join(tmpdir(), 'order-events-kafka-'));
  const folder = settings.dataDir ?? temporary ?? '';
  const logFile = join(folder, 'broker.log');
  const watchdog = startWatchdog(temporary ? { folder: temporary } : {});
  let child: ChildProcess | undefined;
  let exited: Promise<void> = Promise.resolve();

  async function start(): Promise<void> {
    const propertiesFile = await prepareFolder(folder, classPath, settings);
    const log = await open(logFile, 'w');
    const args = [HEAP, '-Dlog4j2.level=WARN', '-cp', classPath, 'kafka.Kafka', propertiesFile];
    const broker = spawn(javaCommand(), args, { stdio: ['ignore', log.fd, log.fd], windowsHide: true });
    child = broker;
    exited = new Promise((resolve) => void broker.once('exit', () => resolve()));
    watchdog.watch(broker.pid ?? 0);
    void exited.then(() => watchdog.watch(0));
    await log.close();
  }

  async function kill(): Promise<void> {
    child?.kill('SIGKILL');
    await exited;
  }

  async function shutDown(): Promise<void> {
    child?.kill('SIGTERM');
    await Promise.race([exited, delay(SHUTDOWN_TIMEOUT_MS, undefined, { ref: false })]);
    await kill();
  }

  async function remove(): Promise<void> {
    if (temporary) {
      await kill();
      await rm(temporary, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    } else await shutDown();
    watchdog.end();
  }

  return {
    pid: () => child?.pid,
    isRunning: async () => child?.exitCode === null && child.signalCode === null,
    start,
    shutDown,
    kill,
    pause: async () => {
      child?.kill('SIGSTOP');
      await untilStopped(child?.pid);
    },
    resume: async () => void child?.kill('SIGCONT'),
    endOfLog: async () => lastLines(await readFile(logFile, 'utf8')),
    remove,
  };
}

/** SIGSTOP stops one thread after the other. Requests are still answered until the last one has stopped. */
async function untilStopped(pid: number | undefined): Promise<void> {
  const tasks = `/proc/${pid}/task`;
  const deadline = performance.now() + STOP_TIMEOUT_MS;
  // Systems without /proc do not show the states of threads.
  while (existsSync(tasks)) {
    if (performance.now() > deadline) throw new Error(`Kafka still runs ${STOP_TIMEOUT_MS} ms after it was paused`);
    const threads = await readdir(tasks);
    const states = await Promise.all(
      threads.map((thread) => readFile(join(tasks, thread, 'stat'), 'utf8').catch(() => '(gone) T')),
    );
    if (states.every((stat) => stat.slice(stat.lastIndexOf(')')).startsWith(') T'))) return;
    await delay(5);
  }
}

/** The last lines without stack traces, which would push out the reasons above them. */
function lastLines(log: string): string {
  const lines = log.trimEnd().split('\n');
  return lines
    .filter((line) => !line.startsWith('\tat '))
    .slice(-20)
    .join('\n');
}

/** Writes the properties, and formats the log folder if it is new. @returns the properties file */
async function prepareFolder(folder: string, classPath: string, settings: BrokerSettings): Promise<string> {
  await mkdir(folder, { recursive: true });
  const logFolder = join(folder, 'log');
  const propertiesFile = join(folder, 'server.properties');
  await writeFile(propertiesFile, propertiesText({ ...properties(settings), 'log.dirs': slashed(logFolder) }));
  if (!existsSync(join(logFolder, 'meta.properties'))) {
    const format = ['kafka.tools.StorageTool', 'format', '-t', settings.clusterId, '-c', propertiesFile];
    await promisify(execFile)(javaCommand(), [SHORT_LIVED, '-cp', classPath, ...format]);
  }
  return propertiesFile;
}

function properties({ nodeId, port, advertisedPort, controllerPorts, properties: given }: BrokerSettings) {
  return {
    'node.id': nodeId,
    'controller.quorum.voters': controllerPorts.map((controller, i) => `${i + 1}@localhost:${controller}`).join(','),
    listeners: `PLAINTEXT://localhost:${port},CONTROLLER://localhost:${controllerPorts[nodeId - 1]}`,
    'advertised.listeners': `PLAINTEXT://localhost:${advertisedPort}`,
    ...given,
  };
}

function propertiesText(entries: Record<string, string | number>): string {
  return Object.entries(entries)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** A path with slashes: in a properties file a backslash is an escape. */
function slashed(path: string): string {
  return path.replaceAll('\\', '/');
}
