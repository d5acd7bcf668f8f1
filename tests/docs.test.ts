import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ERRORS } from '#service_common/errors.ts';
import { SETTINGS } from '#kafka_common/config.ts';
import { referencePages } from '../docs/reference.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8').replaceAll('\r\n', '\n');

/** The headings of a page, as links name them. */
const headingsOf = (page: string): string[] =>
  Array.from(page.matchAll(/^#+ (.+)$/gm), ([, text = '']) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );

describe('the documentation', async () => {
  for (const [path, text] of await referencePages()) {
    test(`${path} is what the code says (npm run docs writes it)`, () => {
      assert.equal(read(path), text);
    });
  }

  test('names every error code and every setting', () => {
    const errors = read('docs/errors.md');
    for (const code of Object.keys(ERRORS)) assert.ok(errors.includes(`\`${code}\``), code);
    const settings = read('docs/settings.md');
    for (const { name } of Object.values(SETTINGS)) assert.ok(settings.includes(`\`${name}\``), name);
  });

  test('docs/operations.md quotes only log lines that are in the code', () => {
    const sources = ['libs', 'services']
      .flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true }).map((name) => join(folder, String(name))),
      )
      .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
      .map(read)
      .join('\n');
    const page = read('docs/operations.md').replaceAll(/^```[^]*?^```/gm, '');
    const quoted = Array.from(page.matchAll(/`([^`]+)`/g), ([, text = '']) => text.replaceAll(/\s+/g, ' '));
    const logLines = quoted.filter((text) => /^[A-Za-z]+ [a-z]+ [a-z]/.test(text) && !/^(curl|npm) /.test(text));
    assert.ok(logLines.length > 15);
    for (const text of logLines) assert.ok(sources.includes(`'${text}`), text);
  });

  const pages = [
    'README.md',
    'examples/README.md',
    ...readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${String(name).replaceAll('\\', '/')}`),
  ].filter((path) => path.endsWith('.md'));
  for (const path of pages) {
    test(`${path} links only to files and headings that are there`, () => {
      for (const [, target = '', heading] of read(path).matchAll(/\]\(([^)#\s]*)(?:#([^)\s]+))?[^)]*\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const file = target === '' ? path : join(dirname(path), target);
        assert.ok(existsSync(join(root, file)), target);
        if (heading !== undefined) assert.ok(headingsOf(read(file)).includes(heading), `${target}#${heading}`);
      }
    });
  }

  test('README.md is short enough to read in five minutes', () => {
    const words = read('README.md')
      .split(/\s+/)
      .filter((word) => word !== '').length;
    assert.ok(words <= 1_100, `it has ${words} words`);
  });

  test('docs/README.md links to every page', () => {
    const index = read('docs/README.md');
    const listed = pages.filter((path) => /^docs\/(observability\/)?[^/]+$/.test(path) && path !== 'docs/README.md');
    for (const path of listed) assert.ok(index.includes(`](${path.slice('docs/'.length)})`), path);
    assert.ok(listed.length > 10);
  });

  test('docs/decisions/README.md links to every decision', () => {
    const index = read('docs/decisions/README.md');
    const decisions = pages.filter((path) => /^docs\/decisions\/\d/.test(path));
    for (const path of decisions) assert.ok(index.includes(`](${path.slice('docs/decisions/'.length)})`), path);
  });

  for (const path of ['docs/architecture.md', 'docs/recipes.md', 'docs/testing.md', 'examples/README.md']) {
    test(`${path} names only files and folders that are there`, () => {
      const named = Array.from(read(path).matchAll(/`((?:libs|services|cli|tests|bench|docs|examples)\/[\w./-]*)`/g));
      for (const [, file = ''] of named) assert.ok(existsSync(join(root, file)), file);
    });
  }

  for (const path of ['docs/architecture.md', 'docs/recipes.md']) {
    test(`${path} names functions that are in the file before them`, () => {
      const named = Array.from(read(path).matchAll(/`([\w./]+\.ts)` `(\w+)`/g));
      for (const [, file = '', name = ''] of named) assert.match(read(file), new RegExp(`\\b${name}\\b`), file);
    });
  }

  test('README.md names only npm scripts and files that are there', () => {
    const readme = read('README.md');
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const [, script = ''] of readme.matchAll(/npm run ([a-z]+(?::[a-z]+)*)/g))
      assert.ok(script in scripts, script);
    for (const [, file = ''] of readme.matchAll(/(?:compose|docker-compose) -f (\S+)/g)) {
      const places = ['', 'services/cart_service/', 'services/order_service/'];
      assert.ok(
        places.some((place) => existsSync(join(root, place, file))),
        file,
      );
    }
  });
});
