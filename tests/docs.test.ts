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
    ...readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${String(name).replaceAll('\\', '/')}`),
  ].filter((path) => path.endsWith('.md'));
  for (const path of pages) {
    test(`${path} links only to files that are there`, () => {
      for (const [, target = ''] of read(path).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        assert.ok(existsSync(join(root, dirname(path), target)), target);
      }
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
