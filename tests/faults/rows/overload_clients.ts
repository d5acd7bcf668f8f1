/**
 * Clients that ask for more than a service can do. They run in their own process, so that the campaign does not slow
 * them down. They use raw sockets with one request at a time, because an HTTP client would need more CPU than the
 * service.
 */
import { connect, type Socket } from 'node:net';

export interface OverloadJob {
  readonly port: number;
  readonly connections: number;
  /**
   * Open loop: requests per second, whatever the answers do. Null: closed loop, the next request follows the answer.
   */
  readonly rate: number | null;
  readonly seconds: number;
  /** The number in the first order's id; the next ones count up. */
  readonly firstOrder: number;
}

export interface OverloadReport {
  readonly asked: number;
  /** Requests that were due but not sent, because every connection waited for an answer. */
  readonly withheld: number;
  /** The number of answers, by `status code outcome`. */
  readonly answers: Readonly<Record<string, number>>;
  /** The time from the first request to the last answer. */
  readonly seconds: number;
  /** The 200s in each second. */
  readonly good: readonly number[];
  readonly worstMs: number;
  /** The p99 of the 200s. */
  readonly p99Ms: number;
}

const TICK_MS = 5;
/** The longest wait for the last answers. */
const DRAIN_MS = 10_000;

const job = JSON.parse(process.argv[2] ?? '') as OverloadJob;
const answers: Record<string, number> = {};
const good: number[] = [];
const goodTimes: number[] = [];
let nextOrder = job.firstOrder;
let asked = 0;
let answered = 0;
let withheld = 0;
let worstMs = 0;
const started = performance.now();
let lastAnswer = started;

const requestText = (): string => {
  const body = `{"order_id":"${nextOrder++}","number_of_items":1}`;
  return `POST /create-order HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
};

interface Client {
  readonly socket: Socket;
  askedAt: number;
  received: string;
}

const idle: Client[] = [];

const count = (client: Client, status: string, body: string): void => {
  const now = performance.now();
  const tookMs = now - client.askedAt;
  lastAnswer = now;
  answered += 1;
  worstMs = Math.max(worstMs, tookMs);
  if (status === '200') {
    const second = Math.floor((now - started) / 1_000);
    good[second] = (good[second] ?? 0) + 1;
    goodTimes.push(tookMs);
  }
  const code = /"code":"(\w+)"/.exec(body)?.[1];
  const outcome = /"outcome":"(\w+)"/.exec(body)?.[1];
  const key = [status, code, outcome].filter((part) => part !== undefined).join(' ');
  answers[key] = (answers[key] ?? 0) + 1;
};

const read = (client: Client, data: string): void => {
  client.received += data;
  const end = client.received.indexOf('\r\n\r\n');
  if (end < 0) return;
  const head = client.received.slice(0, end);
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
  if (client.received.length < end + 4 + length) return;
  count(client, head.slice(9, 12), client.received.slice(end + 4, end + 4 + length));
  client.received = '';
  if (job.rate === null && performance.now() < started + job.seconds * 1_000) ask(client);
  else idle.push(client);
};

const ask = (client: Client): void => {
  client.askedAt = performance.now();
  asked += 1;
  client.socket.write(requestText());
};

const clients = Array.from({ length: job.connections }, (): Client => {
  const socket = connect({ port: job.port, host: 'localhost', noDelay: true });
  const client: Client = { socket, askedAt: 0, received: '' };
  socket.setEncoding('latin1');
  socket.on('data', (data) => read(client, String(data)));
  socket.on('error', () => {});
  return client;
});

const report = (): void => {
  goodTimes.sort((a, b) => a - b);
  const p99Ms = goodTimes[Math.floor(goodTimes.length * 0.99)] ?? 0;
  const seconds = (lastAnswer - started) / 1_000;
  process.send?.({ asked, withheld, answers, seconds, good, worstMs, p99Ms } satisfies OverloadReport, () =>
    process.exit(),
  );
};

process.once('disconnect', () => process.exit());
if (job.rate === null) for (const client of clients) ask(client);
else idle.push(...clients);
let owed = 0;
let lastTick = started;
const timer = setInterval(() => {
  const now = performance.now();
  const isOver = now > started + job.seconds * 1_000;
  if (isOver && (answered >= asked || now > started + job.seconds * 1_000 + DRAIN_MS)) {
    clearInterval(timer);
    report();
    return;
  }
  if (job.rate === null || isOver) return;
  owed += ((now - lastTick) / 1_000) * job.rate;
  lastTick = now;
  for (; owed >= 1; owed -= 1) {
    // The one that has been idle longest.
    const client = idle.shift();
    if (client) ask(client);
    else withheld += 1;
  }
}, TICK_MS);
