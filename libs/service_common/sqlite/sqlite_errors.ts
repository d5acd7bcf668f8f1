import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';

/** A file that cannot be used as a store. @param advice what to do, unless another process uses the file */
export const refusal = (path: string, error: unknown, advice: string): StoreError => {
  const text = isLocked(error)
    ? `${path} is in use by another process. End that one, or set DATA_DIR to another folder.`
    : `cannot use ${path} as a store: ${reasonOf(error)}. ${advice}`;
  return new StoreError('STORE_REFUSED', text, error);
};

/** SQLite's primary result codes, each the low byte of the extended code: another connection holds the lock. */
const SQLITE_BUSY = 5;
/** A read, write or sync failed. */
const SQLITE_IOERR = 10;

const hasCode = (error: unknown, code: number): boolean =>
  error instanceof Error && 'errcode' in error && (Number(error.errcode) & 0xff) === code;

/** Whether the work failed only because another connection holds the file's lock. */
export const isLocked = (error: unknown): boolean => hasCode(error, SQLITE_BUSY);

export const isInputOutputError = (error: unknown): boolean => hasCode(error, SQLITE_IOERR);
