import { SETTINGS } from '#kafka_common/config.ts';
import { addPublisherGauges } from '#cart_service/telemetry/publisher_gauges.ts';
import type { Setting } from '#service_common/config.ts';
import { createPublisherMetrics } from '#cart_service/telemetry/publisher_metrics.ts';
import { createApplyMetrics } from '#order_service/telemetry/apply_metrics.ts';
import { addRunnerMetrics, addViewMetrics } from '#order_service/telemetry/consumer_metrics.ts';
import { ERRORS } from '#service_common/errors.ts';
import { asyncApiDocument } from './asyncapi.ts';
import { eventsSections } from './events_page.ts';
import { cartDocument, orderDocument } from './openapi.ts';
import { createHttpMetrics } from '#service_common/telemetry/http_metrics.ts';
import { Registry } from 'prom-client';
import { dashboard } from './dashboard.ts';
import { COMMANDS } from '../cli/commands.ts';
import { helpOf } from '../cli/help.ts';

/** The pages of the documentation that are generated from the code, by their path in the repository. */
export const referencePages = async (): Promise<ReadonlyMap<string, string>> =>
  new Map([
    ['docs/settings.md', settingsPage()],
    ['docs/errors.md', errorsPage()],
    ['docs/openapi/cart_service.json', json(await cartDocument())],
    ['docs/openapi/order_service.json', json(await orderDocument())],
    ['docs/asyncapi.json', json(asyncApiDocument())],
    ['docs/events.md', sections('Events', eventsSections(asyncApiDocument()))],
    ['docs/observability/metrics.md', metricsPage()],
    ['docs/observability/grafana_dashboard.json', dashboard()],
    ['docs/cli.md', cliPage()],
  ]);

const json = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;

const GENERATED = '<!-- Made from the code by `npm run docs`: change it there. -->';

const settingsPage = (): string => {
  const rows = Object.values(SETTINGS).map(({ name, schema, allowed, description, secret }: Setting) => {
    const initial = (schema as { default?: unknown }).default;
    const variables = secret ? `\`${name}\` or \`${name}_FILE\`` : `\`${name}\``;
    return [variables, initial === '' ? '(empty)' : `\`${String(initial)}\``, allowed, description];
  });
  return page(
    'Settings',
    'Both services read these variables from the environment at start. A variable that is set but empty counts as not set. A wrong one stops the start with a line that names it, its value and what is allowed.',
    ['Variable', 'Default', 'Allowed', 'Meaning'],
    rows,
  );
};

const errorsPage = (): string =>
  page(
    'Errors',
    'Every error answer of both services is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail` and one of these as `code`. `ValidationFailed` lists the fields in `errors`; an error of a command that reached the write path has `outcome`; a 503 has `Retry-After` in seconds.',
    ['Code', 'Status', 'Title', 'Meaning, and what to do'],
    Object.entries(ERRORS)
      .toSorted(([, a], [, b]) => a.status - b.status)
      .map(([code, { status, title, meaning }]) => [`\`${code}\``, String(status), title, meaning]),
  );

const metricsPage = (): string =>
  [
    ...pageHead(
      'Metrics',
      '`GET /metrics` of each service returns these metrics in the text format of Prometheus. Names and labels follow its conventions, and the semantic conventions of OpenTelemetry if those have a name. A histogram has `_bucket`, `_sum` and `_count`. The label `messaging_system` is `kafka` on the embedded broker too, which replaces it. Counters and histograms start at 0 with the service. In addition, prom-client has metrics of the process (`process_*`, `nodejs_*`).',
    ),
    ...Object.entries(registries()).flatMap(([service, registry]) => [
      `## ${service}`,
      table(
        ['Metric', 'Type', 'Labels', 'Meaning'],
        registry
          .getMetricsAsArray()
          .filter(({ name }) => !/^(process|nodejs)_/.test(name))
          .map((metric) => {
            const { name, type, help } = metric;
            const { labelNames } = metric as unknown as { labelNames: readonly string[] };
            return [
              `\`${name}\``,
              type as unknown as string,
              labelNames.map((label) => `\`${label}\``).join(', '),
              help,
            ];
          }),
      ),
    ]),
  ].join('\n\n') + '\n';

const unread = (): never => {
  throw new Error('only described here');
};

/** The metrics of each service. Their values are never read. */
const registries = (): Readonly<Record<string, Registry>> => {
  const [both, cart, order] = [new Registry(), new Registry(), new Registry()];
  createHttpMetrics(both, unread);
  const common = { topic: '', status: unread, now: unread };
  addPublisherGauges({ ...common, registry: cart, queueLimit: 0, storeFailure: unread });
  createPublisherMetrics(cart, '');
  addRunnerMetrics({ ...common, registry: order, unreadPartitions: unread });
  addViewMetrics({ ...common, registry: order, db: { counts: unread, pending: unread } });
  createApplyMetrics({ ...common, registry: order, group: '' });
  return { 'Both services': both, 'Cart Service': cart, 'Order Service': order };
};

const cliPage = (): string =>
  [
    '# Command line',
    GENERATED,
    'The `--help` of each command. Options come after two dashes, as in `npm run tail -- --order 123`. For scripts, `npm run --silent` leaves out the lines of npm itself. Results go to standard output, everything else to standard error. Colours go only to a terminal, and not if `NO_COLOR` is set. A container has no npm scripts: `docker compose exec order-service node cli/main.ts rebuild`.',
    ...COMMANDS.flatMap((command) => [
      `## ${command.name}`,
      ['```text', `npm run ${command.name} -- --help`, '', helpOf(command), '```'].join('\n'),
    ]),
  ].join('\n\n') + '\n';

const page = (title: string, introduction: string, head: string[], rows: string[][]): string =>
  sections(title, [introduction, table(head, rows)]);

const sections = (title: string, parts: string[]): string => `${[`# ${title}`, GENERATED, ...parts].join('\n\n')}\n`;

const pageHead = (title: string, introduction: string): string[] => [`# ${title}`, GENERATED, introduction];

const table = (head: string[], rows: string[][]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
