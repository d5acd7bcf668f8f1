import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import Type from 'typebox';
import { tempDir } from '#tests/support/temp_dir.ts';
import { ConfigError, type Environment, readSettings, type SettingTable } from './config.ts';

const TABLE = {
  retries: {
    name: 'RETRIES',
    schema: Type.Integer({ minimum: 0, default: 3 }),
    allowed: 'a whole number from 0',
    description: '',
    secret: false,
  },
  password: {
    name: 'PASSWORD',
    schema: Type.String({ pattern: '^$|^[^]{4,}$', default: '' }),
    allowed: 'at least 4 characters',
    description: '',
    secret: true,
  },
} as const satisfies SettingTable;

const refusalOf = (environment: Environment): string => {
  try {
    readSettings(TABLE, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return assert.fail('it was accepted');
};

const listed = (environment: Environment) => readSettings(TABLE, environment).inForce[1];

const fileOf = (content: string): string => {
  const path = join(tempDir(), 'password');
  writeFileSync(path, content);
  return path;
};

describe('the settings of a table', () => {
  test('are values by field, with the types of their schemas', () => {
    const values: { readonly retries: number; readonly password: string } = readSettings(TABLE, {
      RETRIES: '5',
    }).values;
    assert.deepEqual(values, { retries: 5, password: '' });
  });

  test('have no file unless they are secret', () => {
    assert.equal(readSettings(TABLE, { RETRIES_FILE: fileOf('5') }).values.retries, 3);
  });

  test('that are wrong are each refused, a secret without its value', () => {
    assert.equal(
      refusalOf({ RETRIES: 'many', PASSWORD: 'abc' }),
      'RETRIES is "many", but must be a whole number from 0\n' +
        'PASSWORD has a wrong value, which is not shown because it is a secret; it must be at least 4 characters',
    );
  });
});

describe('a secret', () => {
  test('comes from its variable, or from the file that the _FILE variable names', () => {
    for (const environment of [{ PASSWORD: 's3cret' }, { PASSWORD_FILE: fileOf('s3cret') }]) {
      assert.equal(readSettings(TABLE, environment).values.password, 's3cret');
    }
  });

  test('in a file loses its last newline and nothing else', () => {
    for (const [content, password] of [
      ['s3cret\n', 's3cret'],
      ['s3cret\r\n', 's3cret'],
      [' s3cret \n\n', ' s3cret \n'],
    ] as const) {
      assert.equal(readSettings(TABLE, { PASSWORD_FILE: ` ${fileOf(content)} ` }).values.password, password);
    }
  });

  test('is never listed, only whether it is set', () => {
    assert.deepEqual(listed({}), { name: 'PASSWORD', value: '(not set)', isDefault: true });
    assert.deepEqual(listed({ PASSWORD: 's3cret' }), { name: 'PASSWORD', value: '(set)', isDefault: false });
    assert.deepEqual(listed({ PASSWORD_FILE: fileOf('s3cret') }), listed({ PASSWORD: 's3cret' }));
  });

  test('that is given twice is refused', () => {
    assert.equal(
      refusalOf({ PASSWORD: 's3cret', PASSWORD_FILE: fileOf('s3cret') }),
      'PASSWORD and PASSWORD_FILE are both set; set only one of them',
    );
  });

  test('whose file is missing, a folder or empty is refused without the path', () => {
    const folder = join(tempDir(), 'folder');
    mkdirSync(folder);
    for (const [path, reason] of [
      ['/no/such/file', 'names a file that cannot be read (ENOENT)'],
      [folder, 'names a file that cannot be read (EISDIR)'],
      [fileOf(''), 'names a file that is empty'],
      [fileOf('\n'), 'names a file that is empty'],
    ] as const) {
      assert.equal(refusalOf({ PASSWORD_FILE: path }), `PASSWORD_FILE ${reason}`);
    }
  });

  test('in a file is checked like any other value', () => {
    assert.match(refusalOf({ PASSWORD_FILE: fileOf('abc') }), /^PASSWORD has a wrong value, which is not shown/);
  });
});
