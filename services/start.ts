import { fork } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Config, describeBroker, readConfig } from '#kafka_common/config.ts';
import { ConfigError } from '#service_common/config.ts';
import { serviceProcessOptions } from '#service_common/process_settings.ts';
import { onStopSignal } from '#service_common/stop_signals.ts';

/** `npm start`: both services, or those that the arguments name, each in its own process, until Ctrl+C. */

const SERVICES = {
  cart_service: { title: 'Cart Service    ', does: 'takes orders    ' },
  order_service: { title: 'Order Service   ', does: 'answers reads   ' },
} as const;

type ServiceName = keyof typeof SERVICES;

/** The address of each service, in the order of their names. */
type Urls = ReadonlyMap<ServiceName, string>;

/** Time for the services to reach the broker. After it the welcome says that they have not. */
const READY_MS = 5_000;
const POLL_MS = 100;

const readConfigOrExit = (): Config => {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    console.error(`cannot start: ${error.message}`);
    return process.exit(1);
  }
};

/** One line for each service that is not ready. */
const problemsOf = async (urls: Urls): Promise<string[]> => {
  const lines = Array.from(urls, async ([name, url]) => {
    try {
      const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(READY_MS) });
      const { ready, reason } = (await response.json()) as { ready: boolean; reason: string | null };
      return ready ? [] : [`  ${SERVICES[name].title}${reason}`];
    } catch (error) {
      return [`  ${SERVICES[name].title}${String(error)}`];
    }
  });
  return (await Promise.all(lines)).flat();
};

const notReady = (config: Config, problems: readonly string[]): string =>
  `order-events has started, but cannot work yet with ${describeBroker(config)}:

${problems.join('\n')}

The services keep trying, and answer orders with 503 until then. Is Kafka running, and KAFKA_BOOTSTRAP_SERVERS right?`;

const welcome = (config: Config, urls: Urls, problems: readonly string[]): string => {
  const cart = urls.get('cart_service');
  const order = urls.get('order_service');
  const create = `  curl -X POST ${cart}/create-order -H "Content-Type: application/json" -d '{"order_id":"123","number_of_items":3}'`;
  const read = `  curl "${order}/order-details?orderId=ORD-123" -H "Prefer: wait=5"`;
  const running = Array.from(urls, ([name, url]) => {
    const { title, does } = SERVICES[name];
    return `  ${title}${does}${url}    API: ${url}/documentation`;
  });
  return `
${problems.length === 0 ? `order-events is running on ${describeBroker(config)}` : notReady(config, problems)}

${running.join('\n')}
${order ? `  Console         shows it all    ${order}/\n` : ''}
Try in another terminal (bash; the README has PowerShell):

${[...(cart ? [create] : []), ...(order ? [read] : [])].join('\n')}

Ctrl+C stops ${urls.size > 1 ? 'both' : 'it'}.
`;
};

const config = readConfigOrExit();
const all = Object.keys(SERVICES) as ServiceName[];
const named = all.filter((name) => process.argv.includes(name));
const names = named.length > 0 ? named : all;
const children = names.map((name) => {
  const child = fork(fileURLToPath(new URL(`./${name}/main.ts`, import.meta.url)), {
    stdio: 'inherit',
    ...serviceProcessOptions(),
  });
  return { name, child };
});

let isStopping = false;
/** Closes the channel to each service. This stops it on Windows too, which has no SIGTERM. */
const stop = (): void => {
  isStopping = true;
  for (const { child } of children) if (child.connected) child.disconnect();
};

const greet = async (urls: Urls): Promise<void> => {
  const deadline = performance.now() + READY_MS;
  let problems = await problemsOf(urls);
  while (problems.length > 0 && performance.now() < deadline && !isStopping) {
    await sleep(POLL_MS);
    problems = await problemsOf(urls);
  }
  if (!isStopping) console.log(welcome(config, urls, problems));
};

/** Empty until the service listens. */
const urls = new Map<ServiceName, string>(names.map((name) => [name, '']));
for (const { name, child } of children) {
  child.on('message', (message: { ready: string }) => {
    urls.set(name, message.ready);
    if ([...urls.values()].every((url) => url !== '')) void greet(urls);
  });
  child.on('exit', (code) => {
    // One service alone is not what the user asked for. The one that ended has said why; the other ends with it.
    if (!isStopping) process.exitCode = code === 0 ? 0 : 1;
    stop();
  });
}
// The terminal sends Ctrl+C to the whole group: the services stop by themselves, and this process waits for them.
onStopSignal(stop);
