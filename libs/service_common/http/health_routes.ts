import Type from 'typebox';
import manifest from '../../../package.json' with { type: 'json' };
import { createCheckHistory } from './health.ts';
import type { HttpApp, HttpAppOptions } from './http_app.ts';

const tags = ['operations'];

const EXAMPLE = `# TYPE order_events_ready gauge
order_events_ready 1
`;

const Live = Type.Object(
  { status: Type.Literal('live') },
  { description: 'The process runs', examples: [{ status: 'live' }] },
);

export const Check = Type.Object(
  {
    name: Type.String(),
    ok: Type.Boolean(),
    reason: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Why not; null where it is ok' }),
    since: Type.String({ format: 'date-time', description: 'Since when it is as it is' }),
  },
  { title: 'Check', description: 'One thing that the service needs for its work' },
);

/** An answer about readiness, of which each service has details of its own. */
const readinessSchema = (ready: boolean, reason: string | null) =>
  Type.Object(
    {
      status: Type.Literal(ready ? 'ready' : 'not_ready'),
      ready: Type.Literal(ready),
      reason: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Why not, for people' }),
      checks: Type.Array(Check),
    },
    {
      title: ready ? 'Ready' : 'NotReady',
      additionalProperties: true,
      description: ready ? 'The service can do its work' : 'The service cannot do its work now; it says why',
      examples: [
        {
          status: ready ? 'ready' : 'not_ready',
          ready,
          reason,
          checks: [{ name: 'broker', ok: ready, reason, since: '2026-01-18T12:00:00.000Z' }],
        },
      ],
    },
  );

/** How often to look at the checks, so that they know since when they are as they are. */
const CHECKS_MS = 1_000;

const VERSIONS = {
  'order-events': manifest.version,
  node: process.versions.node,
  sqlite: process.versions.sqlite ?? 'none',
  '@platformatic/kafka': manifest.dependencies['@platformatic/kafka'],
};

export const Settings = Type.Object(
  {
    service: Type.String(),
    versions: Type.Record(Type.String(), Type.String(), { description: 'Of what the service is made of' }),
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
    description: 'What the service runs with',
    examples: [
      {
        service: 'Order Service',
        versions: { 'order-events': '1.0.0', node: '24.21.0' },
        settings: [{ name: 'ORDERS_TOPIC', value: 'orders.events', isDefault: true }],
      },
    ],
  },
);

/** What every service tells those who operate it. */
export const addHealthRoutes = (
  app: HttpApp,
  { name, metrics, readiness, settings }: Pick<HttpAppOptions, 'name' | 'metrics' | 'readiness' | 'settings'>,
): void => {
  const timed = createCheckHistory(Date.now);
  const look = () => {
    const state = readiness();
    return { ...state, checks: timed(state.checks) };
  };
  const looks = setInterval(look, CHECKS_MS).unref();
  app.addHook('onClose', (_app, done) => {
    clearInterval(looks);
    done();
  });

  app.get(
    '/health/live',
    {
      schema: { operationId: 'getLiveness', tags, summary: 'Says that the process runs', response: { 200: Live } },
    },
    () => ({ status: 'live' as const }),
  );

  app.get(
    '/health/ready',
    {
      schema: {
        operationId: 'getReadiness',
        tags,
        summary: 'Says whether the service can do its work now',
        description: 'Beside `reason` it has details for operators, which may change.',
        response: {
          200: readinessSchema(true, null),
          503: readinessSchema(false, 'the broker cannot be reached'),
        },
      },
    },
    async (_request, reply) => {
      const state = look();
      const body = { status: state.ready ? 'ready' : 'not_ready', ...state };
      return reply.code(state.ready ? 200 : 503).send(body as never);
    },
  );

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
              'text/plain': { schema: Type.String(), example: EXAMPLE },
            },
          },
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );
};
