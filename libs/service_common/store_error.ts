export type StoreErrorCode =
  /** The disk is full, the file is missing, an I/O error: the transaction was not applied. */
  | 'STORE_UNAVAILABLE'
  /** Reading, writing or syncing failed. The transaction was not applied, but recovery after a crash may find it. */
  | 'STORE_IN_DOUBT'
  /** Another process has changed the store since the transaction was decided: it was not applied. */
  | 'STORE_OVERTAKEN'
  /** Another process has committed since the transaction was decided: it was not applied. It can be decided again at once. */
  | 'STORE_CHANGED'
  /** The file is not a database, belongs to another program, or comes from a newer version. It is unchanged. */
  | 'STORE_REFUSED';

/** A store that cannot do what was asked. The message names the file and says what to do. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}
