import pg from 'pg';
import { StoreError } from '#service_common/store_error.ts';
import type { DatabaseAddress } from './database_address.ts';
import { type Fate, fateOf, type TransactionId, TRANSACTION_ID } from './commit_in_doubt.ts';
import { isCollision, isUnanswered, unavailable } from './postgres_errors.ts';
import type { Query, Row } from './statements.ts';

/** A PostgreSQL database. A few connections are shared by all work; each takes one statement or transaction after the other. */
export interface Database {
  /**
   * Runs one statement. If it changes something, use `transaction`, which finds out what became of it.
   * @throws StoreError `STORE_UNAVAILABLE`
   */
  readonly query: Query;
  /**
   * Runs `work` in one transaction. If the connection fails while it commits, the server is asked what became of it.
   * Two transactions that wait for each other are tried again.
   * @throws StoreError `STORE_UNAVAILABLE`: nothing is applied. `STORE_IN_DOUBT`: nobody could say. A StoreError of `work`.
   */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  /** For people: without the password. */
  readonly address: string;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  readonly address: DatabaseAddress;
  /** Shown by the server beside each session. */
  readonly applicationName: string;
  /** Connections at once. */
  readonly connections: number;
  /** How long connecting, and each statement, may take, in ms. A connection that took longer is never used again. */
  readonly deadlineMs: number;
}

const INT8 = 20;
/** Attempts of a transaction that collides with others. */
const ATTEMPTS = 5;

const types: pg.CustomTypesConfig = {
  getTypeParser: (id: number, format?: 'text' | 'binary') =>
    id === INT8 ? Number : (pg.types.getTypeParser(id, format as 'text') as (text: string) => unknown),
};

/** Connects at the first use. */
export const openDatabase = (options: DatabaseOptions): Database => {
  const { address, deadlineMs } = options;
  const { host, port, database, user, password, ssl, text: name } = address;
  const pool = new pg.Pool({
    host,
    port,
    database,
    user,
    ...(password === undefined ? {} : { password }),
    ssl,
    application_name: options.applicationName,
    max: options.connections,
    connectionTimeoutMillis: deadlineMs,
    query_timeout: deadlineMs,
    pipeline: true,
    keepAlive: true,
    types,
  });
  // A connection that ends fails the statements that it has. An idle one is replaced at the next use.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));

  const query: Query = async (text, values = []) => (await pool.query<Row>(text, [...values])).rows;

  const commit = async (client: pg.PoolClient, id: TransactionId): Promise<void> => {
    let fate: Fate = 'aborted';
    try {
      const { command } = await client.query('COMMIT');
      if (command === 'COMMIT') return;
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      fate = await fateOf(id, query, deadlineMs);
      if (fate === 'unknown')
        throw new StoreError('STORE_IN_DOUBT', `the database ${name} did not say whether it committed`, error);
    }
    if (fate === 'aborted') throw new StoreError('STORE_UNAVAILABLE', `the database ${name} rolled back`);
  };

  const attempt = async <T>(work: (query: Query) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    let isUsable = false;
    try {
      const onClient: Query = async (text, values = []) => (await client.query<Row>(text, [...values])).rows;
      const [, [id]] = await Promise.all([client.query('BEGIN'), onClient(TRANSACTION_ID)]);
      const result = await work(onClient);
      await commit(client, id as unknown as TransactionId);
      isUsable = true;
      return result;
    } catch (error) {
      // If this fails too, the connection is closed, and the server rolls back by itself.
      isUsable =
        !isUnanswered(error) &&
        (await client.query('ROLLBACK').then(
          () => true,
          () => false,
        ));
      throw error;
    } finally {
      client.release(!isUsable);
    }
  };

  return {
    address: name,
    query: async (text, values = []) => {
      try {
        return await query(text, values);
      } catch (error) {
        throw unavailable(name, error);
      }
    },
    async transaction(work) {
      for (let n = 1; ; n++) {
        try {
          return await attempt(work);
        } catch (error) {
          if (!isCollision(error) || n === ATTEMPTS) throw unavailable(name, error);
        }
      }
    },
    close: () => pool.end(),
  };
};
