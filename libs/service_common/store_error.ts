export type StoreErrorCode =
  /** The disk is full, the file went away, an I/O error: the transaction was not applied. */
  | 'STORE_UNAVAILABLE'
  /** Reading, writing or syncing failed: the transaction was not applied, but a recovery after a crash may find it. */
  | 'STORE_IN_DOUBT'
  /** Another process has moved the store on since the transaction was decided: it was not applied. */
  | 'STORE_OVERTAKEN'
  /** The file is not a database, belongs to something else, or comes from a newer version. It was not touched. */
  | 'STORE_REFUSED';

/** A store that cannot do what was asked; the message says which file, and what to do. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}
