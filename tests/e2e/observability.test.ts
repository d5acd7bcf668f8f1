import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { parse, stringify } from 'yaml';
import { eventually } from '#tests/support/eventually.ts';
import { namesIn, promtool, withoutPromtool } from '#tests/support/prometheus.ts';
import { tempDir } from '#tests/support/temp_dir.ts';
import { createOrder, isReady, orderDetails } from './api.ts';
import { startService } from './service_process.ts';

const ROOT = join(import.meta.dirname, '../..');
const FOLDER = join(ROOT, 'docs/observability');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n');

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const { groups } = parse(read('docs/observability/alerts.yml')) as { groups: { rules: Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);

const { panels } = JSON.parse(read('docs/observability/grafana_dashboard.json')) as {
  panels: { title: string; targets?: { expr: string }[] }[];
};
/** The expressions of the dashboard, after Grafana has replaced its variables. */
const shown = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({
    place: `the panel ${title}`,
    expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$instance', '.*'),
  })),
);
const asked = alerts.map(({ alert, expr }) => ({ place: `the alert ${alert}`, expr }));

/** Names that Prometheus itself adds. */
const OF_PROMETHEUS = ['up', 'job', 'instance', 'le'];

describe('what the services expose', () => {
  let text = '';
  const exposed = new Set(OF_PROMETHEUS);

  before(async () => {
    const env = { DATA_DIR: tempDir() };
    const [order, cart] = await Promise.all([startService('order_service', env), startService('cart_service', env)]);
    try {
      await eventually(async () => assert.ok((await isReady(cart.url)) && (await isReady(order.url))));
      await createOrder(cart.url, { order_id: '1', number_of_items: 1 });
      assert.equal((await orderDetails(order.url, '1', { prefer: 'wait=10' })).status, 200);
      for (const { url } of [cart, order]) {
        // The series of garbage collections appears with the first collection.
        text += await eventually(async () => {
          const metrics = await (await fetch(`${url}/metrics`)).text();
          assert.match(metrics, /^nodejs_gc_duration_seconds_count\{/m);
          return metrics;
        });
      }
    } finally {
      await Promise.all([cart.stop(), order.stop()]);
    }
    for (const [, name = '', type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
      exposed.add(name);
      if (type === 'histogram') for (const suffix of ['bucket', 'sum', 'count']) exposed.add(`${name}_${suffix}`);
      if (type === 'summary') for (const suffix of ['sum', 'count']) exposed.add(`${name}_${suffix}`);
    }
    for (const [, label = ''] of text.matchAll(/[{,]([a-z_]+)="/g)) exposed.add(label);
  });

  test('has every metric and every label that the dashboard and the alerts ask for', () => {
    for (const { place, expr } of [...shown, ...asked]) {
      const { metrics, labels } = namesIn(expr);
      assert.ok(metrics.length > 0, place);
      for (const name of [...metrics, ...labels]) assert.ok(exposed.has(name), `${place} asks for ${name}`);
    }
  });

  test('has every metric and every label that the documentation names', () => {
    const pages = [
      'README.md',
      ...readdirSync(join(ROOT, 'docs'), { recursive: true }).map((name) => `docs/${String(name)}`),
    ];
    let count = 0;
    for (const path of pages.filter((name) => name.endsWith('.md'))) {
      for (const [, name = ''] of read(path).matchAll(
        /`((?:order_events|messaging|http_server|process|nodejs)_[a-z0-9_]+)/g,
      )) {
        count += 1;
        assert.ok(exposed.has(name), `${path} names ${name}`);
      }
    }
    assert.ok(count > 50);
  });

  test('has names and types without a complaint of Prometheus', { skip: withoutPromtool() }, () => {
    // The names of prom-client are not ours to change.
    const own = text.split('\n').filter((line) => line !== '' && !/^(# (HELP|TYPE) )?(nodejs|process)_/.test(line));
    const lines = [
      ...new Set(own.filter((line) => line.startsWith('#'))),
      ...own.filter((line) => !line.startsWith('#')),
    ];
    const sorted = Map.groupBy(lines, (line) => nameOf(line));
    assert.equal(promtool(['check', 'metrics'], { input: `${[...sorted.values()].flat().join('\n')}\n` }), '');
  });
});

/** The metric of a line. */
const nameOf = (line: string): string =>
  (/^# (?:HELP|TYPE) (\S+)/.exec(line)?.[1] ?? /^[a-z_]+/.exec(line)?.[0] ?? '').replace(/_(bucket|sum|count)$/, '');

describe('the alerts', () => {
  test('are rules that Prometheus accepts', { skip: withoutPromtool() }, () => {
    promtool(['check', 'config', 'prometheus.yml'], { cwd: FOLDER });
  });

  test('fire and stay silent as their examples say', { skip: withoutPromtool() }, () => {
    promtool(['test', 'rules', 'alerts_test.yml'], { cwd: FOLDER });
  });

  test('each have an example that fires and one that stays silent', () => {
    const { tests } = parse(read('docs/observability/alerts_test.yml')) as {
      tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[];
    };
    const examples = tests.flatMap(({ alert_rule_test: rules }) => rules);
    for (const { alert } of alerts) {
      const own = examples.filter(({ alertname }) => alertname === alert);
      assert.deepEqual([own.length, own.filter(({ exp_alerts: { length } }) => length > 0).length], [2, 1], alert);
    }
    assert.equal(examples.length, 2 * alerts.length);
  });

  test('are each described with what to do, and no other alert is described', () => {
    const sections = Array.from(
      read('docs/observability.md').matchAll(/^### (OrderEvents\w+)$/gm),
      ([, name = '']) => name,
    );
    assert.deepEqual(sections.toSorted(), alerts.map(({ alert }) => alert).toSorted());
    for (const { alert, annotations, labels } of alerts) {
      assert.equal(annotations.runbook, `docs/observability.md#${alert.toLowerCase()}`);
      assert.ok(['page', 'ticket'].includes(labels.severity), alert);
    }
  });
});

test('the page on operations has every section that the page on alerts refers to', () => {
  const headings = Array.from(read('docs/operations.md').matchAll(/^#+ (.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 -]/g, '')
      .replaceAll(' ', '-'),
  );
  const anchors = Array.from(
    read('docs/observability.md').matchAll(/operations\.md#([^)]+)\)/g),
    ([, anchor = '']) => anchor,
  );
  assert.ok(anchors.length > 8);
  for (const anchor of anchors) assert.ok(headings.includes(anchor), anchor);
});

describe('the dashboard', () => {
  test('has expressions that Prometheus understands', { skip: withoutPromtool() }, () => {
    const directory = tempDir();
    const rules = shown.map(({ expr }, n) => ({ record: `panel_${n}`, expr }));
    writeFileSync(join(directory, 'panels.yml'), stringify({ groups: [{ name: 'panels', rules }] }));
    promtool(['check', 'rules', 'panels.yml'], { cwd: directory });
  });
});
