import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { toCurl, toPowerShell } from './quoting.js';

const call = (body: string) => ({
  method: 'POST',
  url: 'http://localhost:8000/create-order?a=b&c=$HOME',
  headers: { 'content-type': 'application/json', 'idempotency-key': `it's "$(x)" \`y\`` },
  body,
});

test(
  'a bash command sends exactly the parts of its call, whatever is in them',
  { skip: process.platform === 'win32' },
  () => {
    const folder = mkdtempSync(join(tmpdir(), 'quoting-'));
    try {
      writeFileSync(join(folder, 'curl'), '#!/bin/sh\nprintf "%s\\0" "$@"\n', { mode: 0o755 });
      const env = { ...process.env, PATH: `${folder}${delimiter}${process.env['PATH']}` };
      const text = fc.string({ unit: 'binary' }).map((some) => some.toWellFormed().replaceAll('\0', ''));
      fc.assert(
        fc.property(fc.oneof(text, fc.json(), fc.constantFrom("'", "''", "\\'", '@file', '!!', '\n')), (body) => {
          const { stdout } = spawnSync('bash', ['-c', toCurl(call(body))], { env, encoding: 'utf8' });
          const { method, url, headers } = call(body);
          assert.deepEqual(stdout.split('\0').slice(0, -1), [
            '-i',
            '-X',
            method,
            url,
            ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
            '--data-raw',
            body,
          ]);
        }),
        { numRuns: 50 },
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);

test('a PowerShell command doubles each quote, and sends the body in UTF-8', () => {
  assert.equal(
    toPowerShell(call('{"a":"it\'s \u2019 \u201c"}')),
    [
      "Invoke-RestMethod -Method POST -Uri 'http://localhost:8000/create-order?a=b&c=$HOME' `",
      "  -Headers @{ 'idempotency-key' = 'it''s \"$(x)\" `y`' } `",
      "  -ContentType 'application/json; charset=utf-8' `",
      '  -Body \'{"a":"it\'\'s \u2019\u2019 \u201c"}\'',
    ].join('\n'),
  );
});

test('a command has no headers and no body if its call has none', () => {
  const bare = { method: 'GET', url: 'http://localhost:8001/flow', headers: {}, body: null };
  assert.equal(toCurl(bare), "curl -i -X GET 'http://localhost:8001/flow'");
  assert.equal(toPowerShell(bare), "Invoke-RestMethod -Method GET -Uri 'http://localhost:8001/flow'");
});
