import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { HttpApp } from '#service_common/http/http_app.ts';

/** The console: a page for operators. Its files are served as they are; the browser runs them without a build. */

const CONSOLE = fileURLToPath(new URL('../../console/', import.meta.url));

/** The npm modules that the page imports, under the names that it imports them by. */
const MODULES = ['preact', 'preact/hooks', 'htm', 'htm/preact', '@preact/signals', '@preact/signals-core'];
/** Loaded as a script: only this build of it is minified. */
const CHARTS = 'uplot/dist/uPlot.iife.min.js';

const A_YEAR_S = 31_536_000;

export const addConsoleFiles = async (app: HttpApp, { cartUrl }: { readonly cartUrl: string }): Promise<void> => {
  await app.register(fastifyStatic, {
    root: CONSOLE,
    prefix: '/assets/console/',
    // Each file gets its own route, so that no other file can be requested.
    wildcard: false,
    globIgnore: ['**/*.ts', '**/*.json', 'index.html'],
    decorateReply: false,
    // The browser asks each time; an unchanged file is answered 304.
    setHeaders: (reply) => {
      void reply.headers({ 'cache-control': 'no-cache', 'x-content-type-options': 'nosniff' });
    },
  });

  // The libraries: exactly these files of their folders.
  await app.register(fastifyStatic, { serve: false });
  const files = new Map([...MODULES, CHARTS].map((specifier) => [specifier, libraryFile(specifier)]));
  for (const { url, path } of files.values()) {
    app.get(url, { schema: { hide: true } }, (_request, reply) =>
      reply
        .header('x-content-type-options', 'nosniff')
        .sendFile(basename(path), dirname(path), { maxAge: A_YEAR_S * 1_000, immutable: true }),
    );
  }

  const { page, headers } = consolePage(files, new URL(cartUrl).origin);
  app.get('/', { schema: { hide: true } }, (request, reply) => {
    void reply.headers(headers);
    if (request.headers['if-none-match'] === headers.etag) return reply.code(304).send();
    return reply.type('text/html; charset=utf-8').send(page);
  });

  // For the page only; other clients know the address of the Cart Service.
  app.get('/console.json', { schema: { hide: true } }, () => ({ cartUrl }));
};

interface LibraryFile {
  readonly path: string;
  /** It has the version in it, so its content never changes. */
  readonly url: string;
}

const libraryFile = (specifier: string): LibraryFile => {
  const path = fileURLToPath(import.meta.resolve(specifier));
  const { name, version } = packageOf(path);
  return { path, url: `/assets/${name}@${version}/${basename(path)}` };
};

const packageOf = (path: string): { name: string; version: string } => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string; version?: string };
      if (name !== undefined && version !== undefined) return { name, version };
    }
    if (folder === dirname(folder)) throw new Error(`${path} belongs to no package`);
  }
};

const ownModules = (): string[] =>
  readdirSync(CONSOLE, { recursive: true })
    .map((path) => String(path).replaceAll(sep, '/'))
    .filter((path) => path.endsWith('.js'))
    .toSorted()
    .map((path) => `/assets/console/${path}`);

const digest = (text: string): string => createHash('sha256').update(text).digest('base64');

/** The page with the URLs of its libraries, and headers that allow a browser only to run these files and call these services. */
const consolePage = (files: ReadonlyMap<string, LibraryFile>, cartOrigin: string) => {
  const imports = Object.fromEntries(MODULES.map((specifier) => [specifier, files.get(specifier)?.url]));
  const importMap = JSON.stringify({ imports });
  // The browser loads all of them at once, instead of one import after another.
  const modules = [...MODULES.map((specifier) => files.get(specifier)?.url), ...ownModules()];
  const preloads = modules.map((url) => `<link rel="modulepreload" href="${url}" />`).join('\n    ');
  const page = readFileSync(join(CONSOLE, 'index.html'), 'utf8')
    .replace(
      '<script type="importmap"></script>',
      () => `<script type="importmap">${importMap}</script>\n    ${preloads}`,
    )
    .replace('/assets/uplot.js', () => files.get(CHARTS)?.url ?? '');
  return {
    page,
    headers: {
      'cache-control': 'no-cache',
      etag: `"${digest(page).slice(0, 22)}"`,
      'content-security-policy': [
        "default-src 'none'",
        // The import map is the only script in the page itself.
        `script-src 'self' 'sha256-${digest(importMap)}'`,
        "style-src 'self'",
        "img-src 'self'",
        `connect-src 'self' ${cartOrigin}`,
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        // No code can turn text into markup or a script.
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
      ].join('; '),
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
    },
  };
};
