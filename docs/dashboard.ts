/** The Grafana dashboard of both services. `npm run docs` writes it. */

interface Panel {
  readonly title: string;
  /** PromQL, by the legend of its series. */
  readonly queries: Readonly<Record<string, string>>;
  readonly unit?: 's' | 'bytes' | 'reqps' | 'cps' | 'short' | 'percentunit';
  readonly description?: string;
  readonly type?: 'timeseries' | 'stat' | 'state-timeline';
}

const INSTANCE = 'instance=~"$instance"';
const quantile = (q: number, histogram: string, by = ''): string =>
  `histogram_quantile(${q}, sum by (le${by}) (rate(${histogram}_bucket{${INSTANCE}}[$__rate_interval])))`;
const rate = (counter: string, by: string): string =>
  `sum by (${by}) (rate(${counter}{${INSTANCE}}[$__rate_interval]))`;
const average = (histogram: string): string =>
  `sum(rate(${histogram}_sum{${INSTANCE}}[$__rate_interval])) / sum(rate(${histogram}_count{${INSTANCE}}[$__rate_interval]))`;

/** The median and the tail of a distribution. */
const quantiles = (histogram: string): Panel['queries'] => ({
  p50: quantile(0.5, histogram),
  p99: quantile(0.99, histogram),
});

const ROWS: Readonly<Record<string, readonly Panel[]>> = {
  'At a glance': [
    { title: 'Ready', type: 'stat', queries: { '{{job}}': `order_events_ready{${INSTANCE}}` } },
    {
      title: 'What each service needs',
      type: 'state-timeline',
      queries: { '{{job}} {{check}}': `order_events_check_ok{${INSTANCE}}` },
    },
    {
      title: 'Orders taken and applied per second',
      unit: 'reqps',
      queries: {
        taken: `sum(rate(order_events_answers_total{${INSTANCE}, outcome="done"}[$__rate_interval]))`,
        applied: `sum(rate(order_events_processed_total{${INSTANCE}, outcome="applied"}[$__rate_interval]))`,
      },
    },
    {
      title: 'Time from an event until its order is readable',
      unit: 's',
      description: 'On two machines, it includes the difference of their clocks.',
      queries: quantiles('order_events_readable_latency_seconds'),
    },
  ],
  HTTP: [
    {
      title: 'Requests by route and status',
      unit: 'reqps',
      queries: {
        '{{http_request_method}} {{http_route}} {{http_response_status_code}}': rate(
          'http_server_request_duration_seconds_count',
          'http_request_method, http_route, http_response_status_code',
        ),
      },
    },
    {
      title: 'p99 by route',
      unit: 's',
      queries: { '{{http_route}}': quantile(0.99, 'http_server_request_duration_seconds', ', http_route') },
    },
    {
      title: 'Answers to commands',
      unit: 'reqps',
      queries: { '{{operation}} {{outcome}} {{code}}': rate('order_events_answers_total', 'operation, outcome, code') },
    },
  ],
  'Cart Service: writing': [
    {
      title: 'Requests waiting',
      queries: {
        waiting: `order_events_requests_waiting{${INSTANCE}}`,
        limit: `order_events_requests_waiting_limit{${INSTANCE}}`,
      },
    },
    { title: 'Outbox', queries: { events: `order_events_outbox_events{${INSTANCE}}` } },
    {
      title: 'Age of the oldest event in the outbox and of the last acknowledgement',
      unit: 's',
      queries: {
        oldest: `order_events_outbox_oldest_age_seconds{${INSTANCE}}`,
        acknowledged: `time() - order_events_last_acknowledged_timestamp_seconds{${INSTANCE}}`,
      },
    },
    {
      title: 'Events by fate',
      unit: 'cps',
      queries: {
        'fate {{error_type}}': rate('messaging_client_sent_messages_total', 'error_type'),
        'sent again': `sum(rate(order_events_relayed_total{${INSTANCE}}[$__rate_interval]))`,
      },
    },
    { title: 'Publishing a batch', unit: 's', queries: quantiles('messaging_client_operation_duration_seconds') },
    {
      title: 'Events in a batch',
      queries: {
        average: average('order_events_publish_batch_events'),
        p99: quantile(0.99, 'order_events_publish_batch_events'),
      },
    },
    { title: 'Transactions of the store', unit: 's', queries: quantiles('order_events_store_transaction_seconds') },
    {
      title: 'State',
      type: 'state-timeline',
      queries: { '{{state}}': `order_events_publisher_state{${INSTANCE}}` },
    },
  ],
  'Order Service: reading': [
    {
      title: 'Lag by partition',
      queries: {
        '{{messaging_destination_partition_id}}': `order_events_consumer_lag_records{${INSTANCE}}`,
      },
    },
    {
      title: 'Events by outcome',
      unit: 'cps',
      queries: { '{{outcome}}': rate('order_events_processed_total', 'outcome') },
    },
    { title: 'Transactions', unit: 's', queries: quantiles('messaging_process_duration_seconds') },
    {
      title: 'Messages in a transaction',
      queries: {
        average: average('order_events_transaction_messages'),
        p99: quantile(0.99, 'order_events_transaction_messages'),
      },
    },
    {
      title: 'Messages read',
      unit: 'cps',
      queries: { '{{instance}}': rate('messaging_client_consumed_messages_total', 'instance') },
    },
    {
      title: 'Dead letters and pending statuses',
      queries: {
        'dead letters held': `order_events_dead_letters_held{${INSTANCE}}`,
        'pending statuses': `order_events_pending_statuses{${INSTANCE}}`,
      },
    },
    {
      title: 'Age of the oldest pending status',
      unit: 's',
      queries: { '{{instance}}': `order_events_pending_statuses_oldest_age_seconds{${INSTANCE}}` },
    },
    {
      title: 'Should stay 0, in an hour',
      queries: {
        'dead letters': `sum(increase(order_events_dead_letters_total{${INSTANCE}}[1h]))`,
        'key mismatches': `sum(increase(order_events_key_mismatches_total{${INSTANCE}}[1h]))`,
        'positions lost': `sum(increase(order_events_positions_lost_total{${INSTANCE}}[1h]))`,
      },
    },
    {
      title: 'State',
      type: 'state-timeline',
      queries: { '{{state}}': `order_events_consumer_state{${INSTANCE}}` },
    },
    { title: 'Partitions assigned', queries: { '{{instance}}': `order_events_assigned_partitions{${INSTANCE}}` } },
    { title: 'Orders in the view', queries: { '{{instance}}': `order_events_orders{${INSTANCE}}` } },
  ],
  Processes: [
    {
      title: 'CPU',
      unit: 'percentunit',
      queries: { '{{job}}': `rate(process_cpu_seconds_total{${INSTANCE}}[$__rate_interval])` },
    },
    { title: 'Memory', unit: 'bytes', queries: { '{{job}}': `process_resident_memory_bytes{${INSTANCE}}` } },
    {
      title: 'Lag of the event loop, p99',
      unit: 's',
      queries: { '{{job}}': `nodejs_eventloop_lag_p99_seconds{${INSTANCE}}` },
    },
    {
      title: 'Share of time in garbage collection',
      unit: 'percentunit',
      queries: { '{{job}} {{kind}}': rate('nodejs_gc_duration_seconds_sum', 'job, kind') },
    },
    { title: 'Stores that fail', type: 'stat', queries: { '{{job}}': `order_events_store_failing{${INSTANCE}}` } },
  ],
};

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };
/** In columns; a dashboard has 24. */
const WIDTH = 6;
const HEIGHT = 8;

const panelOf = (panel: Panel, id: number, x: number, y: number) => ({
  id,
  type: panel.type ?? 'timeseries',
  title: panel.title,
  description: panel.description ?? '',
  datasource: DATASOURCE,
  gridPos: { x, y, w: WIDTH, h: HEIGHT },
  fieldConfig: { defaults: { unit: panel.unit ?? 'short', min: 0 }, overrides: [] },
  targets: Object.entries(panel.queries).map(([legendFormat, expr], n) => ({
    refId: String.fromCodePoint(65 + n),
    datasource: DATASOURCE,
    expr,
    legendFormat,
  })),
});

const panels = (): object[] => {
  const result: object[] = [];
  let y = 0;
  for (const [title, row] of Object.entries(ROWS)) {
    result.push({
      id: result.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: { x: 0, y, w: 24, h: 1 },
    });
    y += 1;
    row.forEach((panel, n) => {
      const x = (n * WIDTH) % 24;
      if (n > 0 && x === 0) y += HEIGHT;
      result.push(panelOf(panel, result.length + 1, x, y));
    });
    y += HEIGHT;
  }
  return result;
};

export const dashboard = (): string =>
  `${JSON.stringify(
    {
      uid: 'order-events',
      title: 'order-events',
      tags: ['order-events'],
      schemaVersion: 39,
      version: 1,
      editable: true,
      refresh: '15s',
      time: { from: 'now-1h', to: 'now' },
      templating: {
        list: [
          { name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Data source' },
          {
            name: 'instance',
            type: 'query',
            label: 'Instance',
            datasource: DATASOURCE,
            query: { query: 'label_values(order_events_ready, instance)', refId: 'instance' },
            multi: true,
            includeAll: true,
            allValue: '.*',
            current: { text: ['All'], value: ['$__all'] },
            refresh: 2,
          },
        ],
      },
      panels: panels(),
    },
    null,
    2,
  )}\n`;
