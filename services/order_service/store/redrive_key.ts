import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';

/**
 * The key of the proofs that redriven messages carry (`redrive/redrive_proof.ts`). It has a file of its own, because the
 * view can be deleted and built again, and must then still recognize what the service has redriven.
 */
export const REDRIVE_KEY_FILE = 'redrive.key';

const KEY_BYTES = 32;

/** Reads the key, and makes one if there is none. @throws StoreError `STORE_REFUSED` */
export const openRedriveKey = (directory: string): Buffer => {
  const path = join(directory, REDRIVE_KEY_FILE);
  try {
    return readKey(path) ?? makeKey(directory, path);
  } catch (error) {
    if (error instanceof StoreError) throw error;
    throw new StoreError('STORE_REFUSED', `the key ${path} cannot be used: ${reasonOf(error)}`, error);
  }
};

const readKey = (path: string): Buffer | null => {
  let key: Buffer;
  try {
    key = readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  if (key.length === KEY_BYTES) return key;
  throw new StoreError('STORE_REFUSED', `${path} has ${key.length} bytes and not ${KEY_BYTES}. ${ADVICE}`);
};

const ADVICE =
  'Put the former file back, or delete it: dead letters that were redriven before then show as held after a rebuild.';

/** Another process can make the key at the same time. A link never replaces a file, so both use the first one. */
const makeKey = (directory: string, path: string): Buffer => {
  mkdirSync(directory, { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  const file = openSync(unfinished, 'w', 0o600);
  try {
    writeSync(file, randomBytes(KEY_BYTES));
    fsyncSync(file);
    linkSync(unfinished, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(file);
    rmSync(unfinished, { force: true });
  }
  return readFileSync(path);
};
