import assert from 'node:assert/strict';
import type { Fault, Service } from '#tests/faults/fault.ts';
import type { LoadExchange } from '#tests/faults/load.ts';
import { withoutSignals } from './needs_signals.ts';

const LOG_REQUESTS = new URL('../log_requests.ts', import.meta.url).href;

/**
 * Stops and starts the service. The row fails if a request failed that the service had read. Requests that it had not
 * read do not count: it may close an idle connection just when a client sends on it, and real clients then send again.
 */
const sigterm = (name: Service['name']): Fault => {
  const failures: string[] = [];
  const times: number[] = [];
  return {
    name: `sigterm-${name === 'cart_service' ? 'cart' : 'order'}`,
    title: `SIGTERM of the ${name.replace('_', ' ')} under load: no request that it has read fails`,
    rounds: { full: 50, short: 3 },
    on: { broker: 'kafka' },
    cannotRun: withoutSignals,
    env: { NODE_OPTIONS: `--import=${LOG_REQUESTS}` },
    async run(stage, round) {
      const service = name === 'cart_service' ? stage.cart : stage.order;
      const first = stage.load.exchanges.length;
      const stoppedAt = performance.now();
      const code = await service.stop();
      const endedAt = performance.now();
      times.push(endedAt - stoppedAt);
      const read = numbersOfRead(service);
      await service.start();
      stage.healed();
      // Waits until all requests to the old process have ended for the clients too.
      await stage.agreed();
      assert.equal(code, 0, `exit code; the last of its output: ${service.output.slice(-5).join('\n')}`);
      const failed = stage.load.exchanges
        .slice(first)
        .filter((exchange) => concerns(exchange, name) && exchange.askedAt < endedAt && isFailure(exchange, read));
      for (const { request, answer, endedAt: answeredAt } of failed) {
        const when = `${(answeredAt - stoppedAt).toFixed(0)} ms after SIGTERM`;
        failures.push(`round ${round + 1}, ${when}: ${JSON.stringify({ ...request, answer })}`);
      }
    },
    // oxlint-disable-next-line require-await -- the interface is asynchronous
    async finish(stage) {
      stage.note(`stopped within ${Math.max(...times).toFixed(0)} ms`);
      assert.deepEqual(failures.slice(0, 10), [], `${failures.length} requests failed`);
    },
  };
};

/** The numbers of the requests that the service has read. */
const numbersOfRead = ({ output }: Service): ReadonlySet<number> => {
  const numbers = output.flatMap((line) => /^has read request (\d+)$/.exec(line)?.[1] ?? []);
  assert.ok(numbers.length > 0, 'the service does not log the requests that it reads');
  return new Set(numbers.map(Number));
};

const concerns = ({ request }: LoadExchange, name: Service['name']): boolean =>
  (request.kind === 'read') === (name === 'order_service');

const isFailure = ({ answer, refusedConnection, number }: LoadExchange, read: ReadonlySet<number>): boolean =>
  answer === null ? !refusedConnection && read.has(number) : answer.status >= 500;

export const sigtermRows: readonly Fault[] = [sigterm('cart_service'), sigterm('order_service')];
