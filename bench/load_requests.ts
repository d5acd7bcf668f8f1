import type { LoadPlan } from './load.ts';

/** A request as it goes over the wire, and the text that its answer must contain. */
export interface LoadRequest {
  readonly orderId: string;
  readonly text: string;
  readonly expected: string;
}

/** Maps numbers to different ids over 32 bits. With growing ids, the indexes of the stores would have less work. */
export const orderNumber = (n: number): number => Math.imul(n, 0x9e_37_79_b1) >>> 0;

const STATUSES = ['confirmed', 'processing', 'shipped', 'pending'];
const READ_WAIT_S = 5;

/** Returns a function that gives the requests of a plan, one after the other. */
export const requestsOf = ({ kind, from, url }: LoadPlan): (() => LoadRequest) => REQUESTS[kind](from, url);

const REQUESTS: Readonly<Record<LoadPlan['kind'], (from: number, url: string) => () => LoadRequest>> = {
  create(from, url) {
    let n = from;
    return () => {
      const number = orderNumber(n++);
      return withBody(number, url, 'POST /create-order', `{"order_id":"${number}","number_of_items":3}`);
    };
  },

  /** All orders in turn. In the next round each gets the next status, so every update changes something. */
  update(from, url) {
    let left = from - 1;
    let round = 0;
    return () => {
      if (left < 1) {
        left = from - 1;
        round += 1;
      }
      const number = orderNumber(left--);
      const status = STATUSES[round % STATUSES.length];
      return withBody(number, url, 'PUT /update-order', `{"order_id":"${number}","status":"${status}"}`);
    };
  },

  details: (from, url) => () => getDetails(`ORD-${orderNumber(1 + Math.floor(Math.random() * (from - 1)))}`, url, ''),
};

/** The read of the order of a request; it waits until the order is there. */
export const readOf = ({ orderId }: LoadRequest, url: string): LoadRequest =>
  getDetails(orderId, url, `Prefer: wait=${READ_WAIT_S}\r\n`);

const withBody = (number: number, url: string, line: string, body: string): LoadRequest => ({
  orderId: `ORD-${number}`,
  text: `${line} HTTP/1.1\r\nHost: ${hostOf(url)}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  expected: `"orderId":"ORD-${number}"`,
});

const getDetails = (orderId: string, url: string, headers: string): LoadRequest => ({
  orderId,
  text: `GET /order-details?orderId=${orderId} HTTP/1.1\r\nHost: ${hostOf(url)}\r\n${headers}\r\n`,
  expected: `"orderId":"${orderId}"`,
});

const hostOf = (url: string): string => url.slice('http://'.length);
