import type { LogRecord } from '#kafka_common/broker.ts';
import { decodeEvent } from '#kafka_common/serdes_json.ts';
import type { Terminal } from '../terminal.ts';
import { preview, visible } from '../visible.ts';

/** An event from `GET /events/stream`, or from the topic. */
export interface TailedEvent {
  readonly orderId: string;
  /** Its number in the view; undefined if it comes from the topic. */
  readonly sequence?: number;
  readonly type: string;
  readonly version: number | null;
  readonly status: string;
  /** Null if the producer wrote none, or one that cannot be read. */
  readonly timestamp: string | null;
  readonly partition: number;
  readonly offset: number;
  /** What applying it to the view did; undefined if it comes from the topic. */
  readonly outcome?: string;
}

/** A message of the topic that is not an event. */
export interface UnreadableMessage {
  readonly partition: number;
  readonly offset: number;
  readonly key: string | null;
  readonly unreadable: string;
}

export const tailedRecord = (partition: number, record: LogRecord): TailedEvent | UnreadableMessage => {
  const decoded = decodeEvent(record);
  const { offset } = record;
  if (decoded.kind === 'invalid')
    return { partition, offset, key: record.key?.toString() ?? null, unreadable: decoded.reason };
  const { event } = decoded;
  const { orderId, type, version, timestamp } = event;
  const status = event.type === 'ORDER_CREATED' ? event.order.status : event.status;
  return { orderId, type, version, status, timestamp, partition, offset };
};

const COLOURS: Readonly<Record<string, Parameters<Terminal['style']>[0]>> = {
  new: 'cyan',
  completed: 'green',
  cancelled: 'red',
};

/** One line for people. */
export const tailLine = (event: TailedEvent | UnreadableMessage, style: Terminal['style']): string => {
  if ('unreadable' in event) {
    const key = event.key === null ? 'without a key' : `key "${preview(event.key, 40)}"`;
    return `${at(event).padEnd(12)}  ${style('yellow', `cannot be read, ${key}: ${visible(event.unreadable)}`)}`;
  }
  const { orderId, timestamp, version, status, outcome } = event;
  const columns = [
    visible(timestamp ?? '-').padEnd(24),
    visible(orderId).padEnd(14),
    style(COLOURS[status] ?? 'reset', visible(status).padEnd(10)),
    (version === null ? '' : `v${version}`).padEnd(4),
    at(event).padEnd(9),
    outcome === undefined || outcome === 'applied' ? '' : style('yellow', visible(outcome)),
  ];
  return columns.join('  ').trimEnd();
};

/** Partition and offset. */
const at = ({ partition, offset }: { readonly partition: number; readonly offset: number }): string =>
  `${partition}@${offset}`;
