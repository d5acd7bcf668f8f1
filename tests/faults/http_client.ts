import { Agent, type OutgoingHttpHeaders, request } from 'node:http';
import type { ClientAnswer } from '#tests/checker/evidence.ts';

/** One HTTP request. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly path: string;
  readonly body: string | null;
  readonly idempotencyKey: string | null;
}

interface HttpReply {
  /** Null: no answer came. */
  readonly answer: ClientAnswer | null;
  readonly refusedConnection: boolean;
}

/**
 * A client of one service that needs little CPU time: it keeps connections, and reads only the necessary parts of
 * answers.
 */
export interface HttpClient {
  readonly inFlight: number;
  /** Sends a request with its `number` in `x-request-number`. Calls back once, at the latest after the time-out. */
  send(request: HttpRequest, number: number, onEnd: (reply: HttpReply) => void): void;
  close(): void;
}

/** Well above the service's deadline, so that a late answer is recorded as late. */
const TIMEOUT_MS = 20_000;
const SWEEP_MS = 500;

const NO_ANSWER: HttpReply = { answer: null, refusedConnection: false };
const REFUSED: HttpReply = { answer: null, refusedConnection: true };

const knownReplies = new Map<string, HttpReply>();

/** Equal replies share one object, because a long campaign keeps all of them. */
const replyOf = (status: number, code: string | null, outcome: string | null): HttpReply => {
  const key = `${status} ${code} ${outcome}`;
  const found = knownReplies.get(key) ?? { answer: { status, code, outcome }, refusedConnection: false };
  knownReplies.set(key, found);
  return found;
};

const fromBody = (status: number, text: string): HttpReply => {
  try {
    const { code = null, outcome = null } = JSON.parse(text) as { code?: string; outcome?: string };
    return replyOf(status, code, outcome);
  } catch {
    return replyOf(status, null, null);
  }
};

export const createHttpClient = (url: string): HttpClient => {
  const { hostname: host, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 512 });
  /** The open requests and their start times, oldest first. */
  const open = new Map<ReturnType<typeof request>, number>();

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
    send({ method, path, body, idempotencyKey }, number, onEnd) {
      const headers: OutgoingHttpHeaders = { 'x-request-number': number };
      if (body !== null) {
        headers['content-type'] = 'application/json';
        headers['content-length'] = Buffer.byteLength(body);
      }
      if (idempotencyKey !== null) headers['idempotency-key'] = idempotencyKey;
      let ended = false;
      const end = (result: HttpReply): void => {
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
        response.once('end', () => end(status === 200 ? replyOf(status, null, null) : fromBody(status, text)));
        // Half an answer does not count.
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
