import assert from 'node:assert/strict';
import type { Fault, Service } from '#tests/faults/fault.ts';
import type { LoadExchange } from '#tests/faults/load.ts';
import { withoutSignals } from './needs_signals.ts';

const TELL_REQUESTS = new URL('../tell_requests.ts', import.meta.url).href;

/**
 * Stops and starts the service; the row fails at the end if a request did. A connection that the service closes for
 * want of use just when a client sends on it takes the request with it, unread; real clients send that again.
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
    env: { NODE_OPTIONS: `--import=${TELL_REQUESTS}` },
    async run(stage, round) {
      const service = name === 'cart_service' ? stage.cart : stage.order;
      const first = stage.load.exchanges.length;
      const stoppedAt = performance.now();
      const code = await service.stop();
      const goneAt = performance.now();
      times.push(goneAt - stoppedAt);
      const read = readAsks(service);
      await service.start();
      stage.healed();
      // Before it, what was asked of the process that is gone may not have ended for the clients.
      await stage.agreed();
      assert.equal(code, 0, `exit code; the last of its output: ${service.output.slice(-5).join('\n')}`);
      const failed = stage.load.exchanges
        .slice(first)
        .filter((exchange) => concerns(exchange, name) && exchange.askedAt < goneAt && isFailure(exchange, read));
      for (const { request, answer, endedAt } of failed) {
        const when = `${(endedAt - stoppedAt).toFixed(0)} ms after SIGTERM`;
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

const readAsks = ({ output }: Service): ReadonlySet<number> => {
  const asks = output.flatMap((line) => /^has read ask (\d+)$/.exec(line)?.[1] ?? []);
  assert.ok(asks.length > 0, 'the service does not tell what it has read');
  return new Set(asks.map(Number));
};

const concerns = ({ request }: LoadExchange, name: Service['name']): boolean =>
  (request.kind === 'read') === (name === 'order_service');

const isFailure = ({ answer, refusedConnection, number }: LoadExchange, read: ReadonlySet<number>): boolean =>
  answer === null ? !refusedConnection && read.has(number) : answer.status >= 500;

export const sigtermRows: readonly Fault[] = [sigterm('cart_service'), sigterm('order_service')];
