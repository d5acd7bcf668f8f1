import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { tempDir } from '#tests/support/temp_dir.ts';
import { lockFile, tryLockFile } from './file_lock.ts';

const anyFile = () => ({ directory: join(tempDir(), 'new'), name: 'store.sqlite' });

describe('the lock of a file', () => {
  test('that one process holds alone is refused to all others until it is released', () => {
    const file = anyFile();
    const unlock = lockFile(file);
    assert.throws(() => lockFile(file), /is in use by another process/);
    assert.equal(tryLockFile(file), null);
    assert.equal(tryLockFile(file, 'shared'), null);
    unlock();
    tryLockFile(file)?.();
  });

  test('that is shared cannot be taken alone until its last holder has released it', () => {
    const file = anyFile();
    const [first, second] = [lockFile(file, 'shared'), tryLockFile(file, 'shared')];
    assert.equal(tryLockFile(file), null);
    first();
    assert.equal(tryLockFile(file), null);
    second?.();
    assert.notEqual(tryLockFile(file), null);
  });
});
