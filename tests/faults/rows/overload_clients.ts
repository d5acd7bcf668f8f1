/**
 * Clients that ask for more than a service can do, as a process of their own, so that the lab does not slow down what
 * it measures. Raw sockets with one request at a time on each: an HTTP client would take more CPU than the service.
 */
import { connect, type Socket } from 'node:net';

export interface OverloadOrders {
  readonly port: number;
  readonly connections: number;
  /** Open loop: requests a second, whatever the answers do. Null: closed loop, each connection asks when it is answered. */
  readonly rate: number | null;
  readonly seconds: number;
  /** Digits of the first order's id; they count up from there. */
  readonly firstOrder: number;
}

export interface OverloadReport {
  readonly asked: number;
  /** Due, but not asked, as every connection waited for an answer. */
  readonly withheld: number;
  /** Answers by `status code outcome`. */
  readonly answers: Readonly<Record<string, number>>;
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Answers 200 in each second. */
  readonly good: readonly number[];
  readonly worstMs: number;
  /** Of the answers 200. */
  readonly p99Ms: number;
}

const TICK_MS = 5;
/** For the answers to what was asked last. */
const DRAIN_MS = 10_000;

const orders = JSON.parse(process.argv[2] ?? '') as OverloadOrders;
const answers: Record<string, number> = {};
const good: number[] = [];
const goodTimes: number[] = [];
let nextOrder = orders.firstOrder;
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
  if (orders.rate === null && performance.now() < started + orders.seconds * 1_000) ask(client);
  else idle.push(client);
};

const ask = (client: Client): void => {
  client.askedAt = performance.now();
  asked += 1;
  client.socket.write(requestText());
};

const clients = Array.from({ length: orders.connections }, (): Client => {
  const socket = connect({ port: orders.port, host: 'localhost', noDelay: true });
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
if (orders.rate === null) for (const client of clients) ask(client);
else idle.push(...clients);
let owed = 0;
let lastTick = started;
const timer = setInterval(() => {
  const now = performance.now();
  const isOver = now > started + orders.seconds * 1_000;
  if (isOver && (answered >= asked || now > started + orders.seconds * 1_000 + DRAIN_MS)) {
    clearInterval(timer);
    report();
    return;
  }
  if (orders.rate === null || isOver) return;
  owed += ((now - lastTick) / 1_000) * orders.rate;
  lastTick = now;
  for (; owed >= 1; owed -= 1) {
    // From the front: the one that has been idle longest.
    const client = idle.shift();
    if (client) ask(client);
    else withheld += 1;
  }
}, TICK_MS);
