import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DECIDING_FILES } from './deciding_files.ts';
import { judgeFile } from './judge_file.ts';

const TEST = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isMore } from './is_more.ts';
test('is more', () => assert(isMore(2, 1) && !isMore(1, 2)));`;

describe('the mutants of a file', { timeout: 120_000 }, () => {
  test('are judged by tests that exist', () => {
    const missing = Object.entries(DECIDING_FILES)
      .flat(2)
      .filter((path) => !existsSync(path));
    assert.deepEqual(missing, []);
  });

  test('survive if no test notices them, and a comment can leave them out', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mutants-test-'));
    try {
      const [file, testFile] = [join(folder, 'is_more.ts'), join(folder, 'is_more.test.ts')];
      const source = 'export const isMore = (a: number, b: number): boolean =>\n  a > b;\n';
      writeFileSync(testFile, TEST);
      writeFileSync(file, source);
      const { judged, count, survivors } = await judgeFile(file, [testFile], Infinity);
      assert.deepEqual([judged, count], [5, 5]);
      assert.deepEqual(
        survivors.map(({ place, original, replacement }) => [place, original, replacement]),
        [[`${file}:2:3`, 'a > b', 'a >= b']],
      );

      writeFileSync(file, source.replace('  a', '  // Stryker disable next-line EqualityOperator: a reason\n  a'));
      assert.deepEqual((await judgeFile(file, [testFile], Infinity)).survivors, []);

      assert.equal((await judgeFile(file, [testFile], 0)).judged, 0);

      writeFileSync(file, source.replace('a > b', 'a < b'));
      await assert.rejects(judgeFile(file, [testFile], Infinity), /fails without a mutant/);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
