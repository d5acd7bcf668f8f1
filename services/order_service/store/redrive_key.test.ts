import assert from 'node:assert/strict';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tempDir } from '#tests/support/temp_dir.ts';
import { openRedriveKey, REDRIVE_KEY_FILE } from './redrive_key.ts';

describe('the key of redrives', () => {
  test('is made once for a folder, and is the same ever after', () => {
    const directory = join(tempDir(), 'new');
    const key = openRedriveKey(directory);
    assert.equal(key.length, 32);
    assert.deepEqual(openRedriveKey(directory), key);
    assert.notDeepEqual(openRedriveKey(tempDir()), key);
    assert.deepEqual(readdirSync(directory), [REDRIVE_KEY_FILE]);
    if (process.platform !== 'win32') assert.equal(statSync(join(directory, REDRIVE_KEY_FILE)).mode & 0o777, 0o600);
  });

  test('of another length is refused, with what to do', () => {
    const directory = tempDir();
    writeFileSync(join(directory, REDRIVE_KEY_FILE), 'half');
    assert.throws(() => openRedriveKey(directory), {
      code: 'STORE_REFUSED',
      message: /redrive\.key has 4 bytes and not 32\. Put the former file back, or delete it/,
    });
  });
});
