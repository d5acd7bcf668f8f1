import pg from 'pg';
import { fateOf, type Fate, type TransactionId, TRANSACTION_ID } from './commit_in_doubt.ts';
import type { DatabaseAddress } from './database_address.ts';
import { inDoubt, isCollision, isUnanswered, rolledBack, unavailable } from './postgres_errors.ts';
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

/** Attempts of a transaction that collides with others. */
const ATTEMPTS = 5;

/** Connects at the first use. */
export const openDatabase = (options: DatabaseOptions): Database => {
  const { deadlineMs } = options;
  const { text: address } = options.address;
  const pool = createPool(options);
  const query = queryOn(pool);

  const commit = async (client: pg.PoolClient, id: TransactionId): Promise<void> => {
    let fate: Fate = 'aborted';
    try {
      const { command } = await client.query('COMMIT');
      // A transaction in which a statement failed ends with ROLLBACK.
      if (command === 'COMMIT') return;
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      fate = await fateOf(id, query, deadlineMs);
      if (fate === 'unknown') throw inDoubt(address, error);
    }
    if (fate === 'aborted') throw rolledBack(address);
  };

  const attempt = async <T>(work: (query: Query) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    const onClient = queryOn(client);
    let isUsable = false;
    try {
      const [, [id]] = await Promise.all([client.query('BEGIN'), onClient(TRANSACTION_ID)]);
      const result = await work(onClient);
      await commit(client, id as unknown as TransactionId);
      isUsable = true;
      return result;
    } catch (error) {
      // If this fails too, the connection is closed, and the server rolls back by itself.
      if (!isUnanswered(error))
        await client.query('ROLLBACK').then(
          () => (isUsable = true),
          () => {},
        );
      throw error;
    } finally {
      client.release(!isUsable);
    }
  };

  return {
    address,
    query: async (text, values) => {
      try {
        return await query(text, values);
      } catch (error) {
        throw unavailable(address, error);
      }
    },
    async transaction(work) {
      for (let n = 1; ; n++) {
        try {
          return await attempt(work);
        } catch (error) {
          if (!isCollision(error) || n === ATTEMPTS) throw unavailable(address, error);
        }
      }
    },
    close: () => pool.end(),
  };
};

const queryOn =
  (connection: pg.Pool | pg.ClientBase): Query =>
  async (text, values = []) =>
    (await connection.query<Row>(text, [...values])).rows;

const INT8 = 20;

const types: pg.CustomTypesConfig = {
  getTypeParser: (id: number) => (id === INT8 ? Number : pg.types.getTypeParser(id)),
};

const createPool = ({ address, applicationName, connections, deadlineMs }: DatabaseOptions): pg.Pool => {
  const { text: _text, password, ...place } = address;
  const pool = new pg.Pool({
    ...place,
    ...(password === undefined ? {} : { password }),
    application_name: applicationName,
    max: connections,
    connectionTimeoutMillis: deadlineMs,
    query_timeout: deadlineMs,
    pipeline: true,
    keepAlive: true,
    types,
  });
  // A connection that ends fails the statements that it has. An idle one is replaced at the next use.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
};
