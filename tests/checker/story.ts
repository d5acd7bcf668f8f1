import type { OrderFile } from './by_order.ts';
import type { Exchange, LogEntry } from './evidence.ts';

const MOST_LINES = 12;

/** What happened to one order, for people: its exchanges, the log, and each store. */
export const storyOf = (file: OrderFile): string =>
  [
    `order ${file.orderId}`,
    ...section('asked', file.exchanges.map(exchangeLine)),
    ...section('log', file.entries.map(entryLine)),
    ...(file.aborted.length > 0 ? section('abort', file.aborted.map(entryLine)) : []),
    `  cart  ${file.cart ? `version ${file.cart.version}, ${file.cart.status}` : 'nothing'}`,
    `  view  ${file.view ? `version ${file.view.version}, ${file.view.status}` : file.pending ? `only a pending status: version ${file.pending.version}, ${file.pending.status}` : 'nothing'}`,
  ].join('\n');

const section = (name: string, lines: readonly string[]): string[] => {
  if (lines.length === 0) return [`  ${name.padEnd(5)} nothing`];
  const shown =
    lines.length <= MOST_LINES ? lines : [...lines.slice(0, MOST_LINES - 1), `… ${lines.length - MOST_LINES + 1} more`];
  return shown.map((line, index) => `  ${(index === 0 ? name : '').padEnd(5)} ${line}`);
};

const exchangeLine = ({ request, askedAt, endedAt, answer, refusedConnection }: Exchange): string => {
  const asked = request.kind === 'update' ? `update to ${request.status}` : request.kind;
  const answered =
    answer === null
      ? refusedConnection
        ? 'connection refused'
        : 'no answer'
      : [answer.status, answer.code, answer.outcome].filter((part) => part !== null).join(' ');
  return `${askedAt.toFixed(1)} ms ${asked} -> ${answered} after ${(endedAt - askedAt).toFixed(1)} ms`;
};

const entryLine = ({ partition, offset, writtenAt, event }: LogEntry): string => {
  const what = event?.order ? `created, ${event.status}` : `status ${event?.status}`;
  const when = writtenAt === null ? '' : ` at ${writtenAt.toFixed(1)} ms`;
  return `${partition}:${offset} version ${event?.version ?? '-'} ${what}, event ${event?.eventId}${when}`;
};
