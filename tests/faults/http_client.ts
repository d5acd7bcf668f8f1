import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import type { ToldAnswer } from '#tests/checker/evidence.ts';

/** One question over HTTP. */
export interface Ask {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body: string | null;
  readonly idempotencyKey: string | null;
}

interface Told {
  /** Null: none came. */
  readonly answer: ToldAnswer | null;
  readonly refusedConnection: boolean;
}

/** A cheap client of one service: connections are kept, and of an answer only what matters is read. */
export interface HttpClient {
  readonly inFlight: number;
  /** Sends `number` along, as `x-ask`. Calls back once, at the latest when the time-out has passed. */
  ask(ask: Ask, number: number, onEnd: (told: Told) => void): void;
  close(): void;
}

/** Well above the deadline of the service, so that a late answer is seen as late. */
const TIMEOUT_MS = 20_000;
const SWEEP_MS = 500;

const NO_ANSWER: Told = { answer: null, refusedConnection: false };
const REFUSED: Told = { answer: null, refusedConnection: true };

export const createHttpClient = (url: string): HttpClient => {
  const { hostname: host, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 512 });
  /** In the order of asking. */
  const open = new Map<ReturnType<typeof request>, number>();
  const known = new Map<string, Told>();

  /** Few answers differ, and a long campaign keeps all of them. */
  const told = (status: number, code: string | null, outcome: string | null): Told => {
    const key = `${status} ${code} ${outcome}`;
    const found = known.get(key) ?? { answer: { status, code, outcome }, refusedConnection: false };
    known.set(key, found);
    return found;
  };

  const fromBody = (status: number, text: string): Told => {
    try {
      const { code = null, outcome = null } = JSON.parse(text) as { code?: string; outcome?: string };
      return told(status, code, outcome);
    } catch {
      return told(status, null, null);
    }
  };

  const sweep = setInterval(() => {
    const before = performance.now() - TIMEOUT_MS;
    for (const [started, askedAt] of open) {
      if (askedAt > before) break;
      started.destroy();
    }
  }, SWEEP_MS);

  return {
    get inFlight() {
      return open.size;
    },
    ask({ method, path, body, idempotencyKey }, number, onEnd) {
      const headers: OutgoingHttpHeaders = { 'x-ask': number };
      if (body !== null) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = Buffer.byteLength(body);
      }
      if (idempotencyKey !== null) headers['idempotency-key'] = idempotencyKey;
      let ended = false;
      const end = (result: Told): void => {
        if (ended) return;
        ended = true;
        open.delete(started);
        onEnd(result);
      };
      const started = request({ agent, host, port, method, path, headers }, (response) => {
        const status = response.statusCode ?? 0;
        let text = '';
        response.setEncoding('utf8');
        if (status === 200) response.resume();
        else response.on('data', (piece: string) => (text += piece));
        response.once('end', () => end(status === 200 ? told(status, null, null) : fromBody(status, text)));
        // Half an answer is none.
        response.once('close', () => end(NO_ANSWER));
      });
      started.once('error', (error: NodeJS.ErrnoException) => end(error.code === 'ECONNREFUSED' ? REFUSED : NO_ANSWER));
      started.once('close', () => end(NO_ANSWER));
      open.set(started, performance.now());
      started.end(body ?? undefined);
    },
    close() {
      clearInterval(sweep);
      agent.destroy();
    },
  };
};
