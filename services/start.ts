import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Config, ConfigError, describeBroker, readConfig } from '#kafka_common/config.ts';
import { serviceProcessOptions } from '#service_common/process_settings.ts';
import { onStopSignal } from '#service_common/stop_signals.ts';

/** `npm start`: both services, or those named by the arguments, each in a process of its own, until Ctrl+C. */

const SERVICES = {
  cart_service: { title: 'Cart Service    ', does: 'takes orders    ' },
  order_service: { title: 'Order Service   ', does: 'answers reads   ' },
} as const;

/** For the services to reach the broker, before the welcome says that they have not. */
const READY_MS = 5_000;
const LOOK_EVERY_MS = 100;

type ServiceName = keyof typeof SERVICES;

const readConfigOrExit = (): Config => {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`cannot start: ${error.message}`);
    return process.exit(1);
  }
};

const config = readConfigOrExit();
const all = Object.keys(SERVICES) as ServiceName[];
const named = all.filter((name) => process.argv.includes(name));
const names = named.length > 0 ? named : all;
const urls = new Map<ServiceName, string>();
let stopping = false;

const children = names.map((name) => {
  const child = fork(fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url)), {
    stdio: 'inherit',
    ...serviceProcessOptions(),
  });
  child.on('message', (message: { ready: string }) => {
    urls.set(name, message.ready);
    if (urls.size === names.length) void welcome();
  });
  child.on('exit', (code) => {
    // One alone is not what was asked for: the other ends with it, which has said why.
    if (!stopping) process.exitCode = code === 0 ? 0 : 1;
    stop();
  });
  return child;
});

/** Closing the channel is a stop that works on Windows too, where there is no SIGTERM. */
function stop(): void {
  stopping = true;
  for (const child of children) if (child.connected) child.disconnect();
}

// The terminal sends Ctrl+C to the whole group: the services stop by themselves, and this process waits for them.
onStopSignal(stop);

async function welcome(): Promise<void> {
  const deadline = performance.now() + READY_MS;
  let problems = await whyNotReady();
  while (problems.length > 0 && performance.now() < deadline && !stopping) {
    await sleep(LOOK_EVERY_MS);
    problems = await whyNotReady();
  }
  if (!stopping) printWelcome(problems);
}

/** A line for each service that is not. */
async function whyNotReady(): Promise<string[]> {
  const lines = names.map(async (name) => {
    try {
      const response = await fetch(`${urls.get(name)}/health/ready`, { signal: AbortSignal.timeout(READY_MS) });
      const { ready, reason } = (await response.json()) as { ready: boolean; reason: string | null };
      return ready ? [] : [`  ${SERVICES[name].title}${reason}`];
    } catch (error) {
      return [`  ${SERVICES[name].title}${String(error)}`];
    }
  });
  return (await Promise.all(lines)).flat();
}

function printWelcome(problems: readonly string[]): void {
  const cart = urls.get('cart_service');
  const order = urls.get('order_service');
  const create = `  curl -X POST ${cart}/create-order -H "Content-Type: application/json" -d '{"order_id":"123","number_of_items":3}'`;
  const read = `  curl "${order}/order-details?orderId=ORD-123" -H "Prefer: wait=5"`;
  console.log(`
${problems.length === 0 ? `order-events is running on ${describeBroker(config)}` : notReady(problems)}

${names.map((name) => `  ${SERVICES[name].title}${SERVICES[name].does}${urls.get(name)}    API: ${urls.get(name)}/documentation`).join('\n')}
${order ? `  Console         shows it all    ${order}/\n` : ''}
Try in another terminal (bash; the README has PowerShell):

${[...(cart ? [create] : []), ...(order ? [read] : [])].join('\n')}

Ctrl+C stops ${names.length > 1 ? 'both' : 'it'}.
`);
}

function notReady(problems: readonly string[]): string {
  return `order-events has started, but cannot work yet with ${describeBroker(config)}:

${problems.join('\n')}

They go on trying, and orders are answered 503 until then. Is Kafka running, and KAFKA_BOOTSTRAP_SERVERS right?`;
}
