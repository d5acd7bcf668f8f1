import type { StoredEvent, StreamedEvent } from '#order_service/consumer_db.ts';

/** The messages of the event stream, in the text format of Server-Sent Events (HTML Living Standard, section 9.2). */

/** @param present what a client is shown of an event */
export const orderMessages = (events: readonly StreamedEvent[], present: (event: StoredEvent) => unknown): string =>
  events.map(({ id, ...event }) => `event: order\nid: ${id}\ndata: ${JSON.stringify(present(event))}\n\n`).join('');

/** @param id of the last event before those that follow, so that a client can go on after the reset */
export const resetMessage = (reason: string, id: string): string =>
  `event: reset\nid: ${id}\ndata: ${JSON.stringify({ reason })}\n\n`;

export const flowMessage = (flow: unknown): string => `event: flow\ndata: ${JSON.stringify(flow)}\n\n`;

/** A comment, which clients ignore. */
export const HEARTBEAT = ':\n\n';
