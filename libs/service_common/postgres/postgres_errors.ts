import pg from 'pg';
import { reasonOf } from '#service_common/reason_of.ts';
import { StoreError } from '#service_common/store_error.ts';

/** The server's word on a statement; null if there is none: the connection failed, or the time was over. */
const sqlStateOf = (error: unknown): string | null =>
  error instanceof pg.DatabaseError && error.code !== undefined ? error.code : null;

/** The session ended: by an administrator, a crash of another session, or a server that starts or stops (class 57). */
const isEndOfSession = (sqlState: string): boolean => sqlState.startsWith('57P');

/** Whether nobody told this client what became of a statement that was sent. */
export const isUnanswered = (error: unknown): boolean => {
  if (error instanceof StoreError) return false;
  const sqlState = sqlStateOf(error);
  return sqlState === null || isEndOfSession(sqlState);
};

/** Two transactions waited for each other, or could not be put in an order. Nothing is wrong with either. */
export const isCollision = (error: unknown): boolean => ['40P01', '40001'].includes(sqlStateOf(error) ?? '');

/** @param address of the database, for people */
export const unavailable = (address: string, error: unknown): StoreError =>
  error instanceof StoreError
    ? error
    : new StoreError('STORE_UNAVAILABLE', `the database ${address} did not do its work: ${reasonOf(error)}`, error);

export const inDoubt = (address: string, error: unknown): StoreError =>
  new StoreError('STORE_IN_DOUBT', `the database ${address} did not say whether it has committed`, error);

export const rolledBack = (address: string): StoreError =>
  new StoreError('STORE_UNAVAILABLE', `the database ${address} has rolled a transaction back`);
