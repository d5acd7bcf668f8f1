import type { Registry } from 'prom-client';
import Type from 'typebox';
import manifest from '../../../package.json' with { type: 'json' };
import type { SettingInForce } from '#service_common/config.ts';
import type { HttpApp } from './http_app.ts';

const tags = ['operations'];

const VERSIONS = {
  'order-events': manifest.version,
  node: process.versions.node,
  sqlite: process.versions.sqlite ?? 'none',
  '@platformatic/kafka': manifest.dependencies['@platformatic/kafka'],
};

export const Settings = Type.Object(
  {
    service: Type.String(),
    versions: Type.Record(Type.String(), Type.String(), { description: 'Versions of the parts of the service' }),
    settings: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'The environment variable' }),
          value: Type.String(),
          isDefault: Type.Boolean(),
        },
        { title: 'Setting' },
      ),
    ),
  },
  {
    title: 'Settings',
    description: 'The settings in force, and versions',
    examples: [
      {
        service: 'Order Service',
        versions: { 'order-events': '1.0.0', node: '24.21.0' },
        settings: [{ name: 'ORDERS_TOPIC', value: 'orders.events', isDefault: true }],
      },
    ],
  },
);

const METRICS_EXAMPLE = `# TYPE order_events_ready gauge
order_events_ready 1
`;

interface OperationsOptions {
  /** The service, for people. */
  readonly name: string;
  readonly metrics: Registry;
  readonly settings: readonly SettingInForce[];
}

/** The settings and the metrics of a service, for its operators. */
export const addOperationsRoutes = (app: HttpApp, { name, metrics, settings }: OperationsOptions): void => {
  app.get(
    '/settings',
    {
      schema: {
        operationId: 'getSettings',
        tags,
        summary: 'The settings in force, and versions',
        response: { 200: Settings },
      },
    },
    () => ({ service: name, versions: VERSIONS, settings: [...settings] }),
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'getMetrics',
        tags,
        summary: 'Metrics in the text format of Prometheus',
        response: {
          200: {
            description: 'All metrics of the service',
            content: {
              'text/plain': { schema: Type.String(), example: METRICS_EXAMPLE },
            },
          },
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );
};
