import Type from 'typebox';
import { createCheckHistory, type Readiness } from './health.ts';
import type { HttpApp } from './http_app.ts';

const tags = ['operations'];

const Live = Type.Object(
  { status: Type.Literal('live') },
  { description: 'The process runs', examples: [{ status: 'live' }] },
);

export const Check = Type.Object(
  {
    name: Type.String(),
    ok: Type.Boolean(),
    reason: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'Why not; null if it is ok' }),
    since: Type.String({ format: 'date-time', description: 'When `ok` last changed' }),
  },
  { title: 'Check', description: 'One thing that the service needs for its work' },
);

/** An answer about readiness. Each service adds details of its own. */
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
      description: ready ? 'The service can do its work' : 'The service cannot do its work now; `reason` says why',
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

/** How often to look at the checks for their `since`. */
const CHECKS_MS = 1_000;

/** Looks at the readiness each second and for each caller, so that every check has its `since`. */
const watchReadiness = (app: HttpApp, readiness: () => Readiness) => {
  const timed = createCheckHistory(Date.now);
  const look = () => {
    const state = readiness();
    return { ...state, checks: timed(state.checks) };
  };
  const timer = setInterval(look, CHECKS_MS).unref();
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer);
    done();
  });
  return look;
};

/** Whether the process runs, and whether it can do its work. */
export const addHealthRoutes = (app: HttpApp, readiness: () => Readiness): void => {
  const look = watchReadiness(app, readiness);

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
        description: 'The fields beside `reason` and `checks` are details for operators, which may change.',
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
};
