import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '#service_common/errors.ts';
import type { HttpApp } from './http_app.ts';

/**
 * What is told to a request that no route takes: 405 with `Allow` where the path has other methods, else 404. To be called
 * before routes are added.
 */
export const noRouteAnswers = (app: HttpApp, name: string) => {
  const paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    // That of every path takes preflights, and says by itself where there is none to take.
    if (url === '*') return;
    const path = paths.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    paths.set(url, path);
    for (const one of [method].flat()) path.methods.add(one);
  });

  return ({ method, url }: FastifyRequest, reply: FastifyReply): Problem => {
    const path = url.split('?', 1)[0] ?? '';
    const allowed = new Set(
      [...paths.values()].flatMap(({ pattern, methods }) => (pattern.test(path) ? [...methods] : [])),
    );
    const shown = path.slice(0, 200);
    if (allowed.size === 0) {
      return new Problem('RouteNotFound', `${method} ${shown} is no route of the ${name}; /documentation lists them`);
    }
    const allow = [...allowed].toSorted().join(', ');
    void reply.header('allow', allow);
    return new Problem('MethodNotAllowed', `${method} is no method of ${shown}, which has ${allow}`);
  };
};

/** Of a route's path as Fastify has it, where `:name` is a segment and `*` the rest. */
const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .split('/')
      .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment === '*' ? '.*' : RegExp.escape(segment)))
      .join('/')}$`,
  );
