import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';

/** A file that cannot be used as a store. @param advice what to do, unless another process uses the file */
export const refusal = (path: string, error: unknown, advice: string): StoreError => {
  const text = isLocked(error)
    ? `${path} is in use by another process. End that one, or set DATA_DIR to another folder.`
    : `cannot use ${path} as a store: ${reasonOf(error)}. ${advice}`;
  return new StoreError('STORE_REFUSED', text, error);
};

export const isLocked = (error: unknown): boolean => reasonOf(error).includes('database is locked');

/** SQLite's primary result code for a failed read, write or sync: the low byte of the extended code. */
const SQLITE_IOERR = 10;

export const isInputOutputError = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_IOERR;
