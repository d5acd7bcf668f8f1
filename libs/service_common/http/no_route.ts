import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem } from '#service_common/errors.ts';
import type { HttpApp } from './http_app.ts';

/**
 * Answers requests that no route takes: 405 with `Allow` if the path has other methods, else 404. Call it before any
 * route is added.
 * @param name the service, for people
 */
export const problemsOfUnrouted = (app: HttpApp, name: string) => {
  const paths = new Map<string, { readonly pattern: RegExp; readonly methods: Set<string> }>();
  app.addHook('onRoute', ({ url, method }) => {
    // `*` takes the preflights of every path, and answers 404 itself to anything else.
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
      const detail = `${method} ${shown} is not a route of the ${name}; /documentation lists them`;
      return new Problem('RouteNotFound', detail);
    }
    const allow = [...allowed].toSorted().join(', ');
    void reply.header('allow', allow);
    return new Problem('MethodNotAllowed', `${method} is not a method of ${shown}, which has ${allow}`);
  };
};

/** Matches the paths of a route as Fastify writes it: `:name` is one segment, `*` is the rest. */
const patternOf = (url: string): RegExp =>
  new RegExp(
    `^${url
      .split('/')
      .map((segment) => (segment.startsWith(':') ? '[^/]+' : segment === '*' ? '.*' : RegExp.escape(segment)))
      .join('/')}$`,
  );
