import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { test } from 'node:test';
import { patchSources } from '#tests/patched/patch_source.ts';
import { CRASH_POINTS } from './crash_points.ts';

for (const { name, patches } of CRASH_POINTS) {
  test(`the patches of the crash point ${name} match the present source`, () => {
    assert.doesNotThrow(() => patchSources(patches));
    for (const { file, find, replace } of patches.filter((patch) => patch.file.endsWith('.ts'))) {
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      assert.doesNotThrow(() => stripTypeScriptTypes(source.replace(find, () => replace)), `${file} can be parsed`);
    }
  });
}

test('no two crash points have the same name', () => {
  assert.equal(new Set(CRASH_POINTS.map(({ name }) => name)).size, CRASH_POINTS.length);
});
