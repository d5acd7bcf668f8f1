import type { StoredEvent } from '#order_service/consumer_db.ts';

/** The messages of the event stream, in the text format of Server-Sent Events (HTML Living Standard, section 9.2). */

/** Events under their sequence as `id`. @param present what a client is shown of an event */
export const orderMessages = (events: readonly StoredEvent[], present: (event: StoredEvent) => unknown): string =>
  events.map((event) => `event: order\nid: ${event.sequence}\ndata: ${JSON.stringify(present(event))}\n\n`).join('');

export const resetMessage = (reason: string): string => `event: reset\ndata: ${JSON.stringify({ reason })}\n\n`;

export const flowMessage = (flow: unknown): string => `event: flow\ndata: ${JSON.stringify(flow)}\n\n`;

/** A comment, which clients ignore. */
export const HEARTBEAT = ':\n\n';
