import { join } from 'node:path';
import type { Logger } from 'pino';
import { type Database, openDatabase } from '#service_common/postgres/database.ts';
import type { DatabaseAddress } from '#service_common/postgres/database_address.ts';
import { migrate } from '#service_common/postgres/migrations.ts';
import { StoreError } from '#service_common/store_error.ts';
import { toPostgresText } from '#service_common/stored_text.ts';
import type { CartBatch, CartStore, Committed, OutboxRow } from '#cart_service/store/cart_store.ts';
import { loadOrders, toOutboxRow, toPosition } from './cart_reads.ts';
import { applyBatch } from './cart_writes.ts';
import { enter, type Instance, LEASE_MS } from './instance.ts';

/** The lanes of one service commit side by side, one for each partition leader. */
const CONNECTIONS = 10;
/** Less than the request deadline leaves after a publish. */
const DEADLINE_MS = 2_000;
/** Numbers of events that an instance can give. */
const SEQS = 2 ** 32;
/** Events taken over at once. */
const TAKEN_AT_ONCE = 500;

/** Takes events whose instance is gone. Instances that look at the same time take different ones. */
const TAKE_OVER = `
  UPDATE cart_service.outbox SET instance = $1, taken_over = true WHERE order_id IN (
    SELECT x.order_id FROM cart_service.outbox x LEFT JOIN cart_service.instances i USING (instance)
    WHERE x.instance <> $1 AND (i.instance IS NULL OR i.seen_at < clock_timestamp() - interval '${LEASE_MS} ms')
    ORDER BY x.order_id LIMIT ${TAKEN_AT_ONCE} FOR UPDATE OF x SKIP LOCKED)
  RETURNING *`;
const OWN = 'SELECT * FROM cart_service.outbox WHERE instance = $1 ORDER BY seq';

/** An instance that is in doubt does not take back: another one may have seen the event. */
const FIND = `
  UPDATE cart_service.outbox SET taken_over = true WHERE instance = $1 AND event_id = ANY($2) RETURNING *`;

const RELEASE = `
  UPDATE cart_service.outbox SET instance = 0, taken_over = true WHERE event_id = ANY($1) AND instance = $2`;

/** One instance reads for all, as long as it goes on asking. A second reader would only do the same work again. */
const MAY_READ = `
  UPDATE cart_service.topic SET reader = $1, read_until = clock_timestamp() + interval '${LEASE_MS} ms'
  WHERE reader = $1 OR read_until < clock_timestamp() RETURNING 1`;

/** Opens the store, and creates or updates its tables. @throws StoreError */
export const openPostgresCartStore = async (address: DatabaseAddress, logger: Logger): Promise<CartStore> => {
  const database = openDatabase({
    address,
    applicationName: 'cart-service',
    connections: CONNECTIONS,
    deadlineMs: DEADLINE_MS,
  });
  try {
    await migrate(database, { schema: 'cart_service', folder: join(import.meta.dirname, 'migrations') });
    return createStore(database, await enter(database, logger));
  } catch (error) {
    await database.close();
    throw error;
  }
};

const createStore = (database: Database, instance: Instance): CartStore => {
  const { number } = instance;
  /** Events of transactions that nobody could say anything of. If they are stored, the next look finds them. */
  const inDoubt = new Set<string>();

  const takeOver = (): Promise<readonly OutboxRow[]> =>
    database.transaction(async (query) => {
      const doubted = [...inDoubt];
      const [taken, found] = await Promise.all([
        query(TAKE_OVER, [number]),
        doubted.length === 0 ? [] : query(FIND, [number, doubted]),
      ]);
      for (const eventId of doubted) inDoubt.delete(eventId);
      return [...taken, ...found].map(toOutboxRow);
    });

  return {
    load: (orderIds, keys) => loadOrders(database, number, orderIds.map(toPostgresText), keys),
    async commit(batch) {
      if (isEmpty(batch)) return NOTHING;
      try {
        return await database.transaction((query) => applyBatch(query, number, batch));
      } catch (error) {
        if (error instanceof StoreError && error.code === 'STORE_IN_DOUBT')
          for (const { eventId } of batch.outbox) inDoubt.add(eventId);
        throw error;
      }
    },
    outbox: () =>
      database.transaction(async (query): Promise<readonly OutboxRow[]> => {
        await query(TAKE_OVER, [number]);
        return (await query(OWN, [number])).map(toOutboxRow);
      }),
    // oxlint-disable-next-line require-await -- other stores look it up
    firstSeq: async () => number * SEQS,
    positions: async () => (await database.query('SELECT * FROM cart_service.positions')).map(toPosition),
    sharing: {
      takeOver,
      release: async (rows) => {
        await database.transaction((query) => query(RELEASE, [rows.map(({ eventId }) => eventId), number]));
      },
      mayRead: async () => (await database.transaction((query) => query(MAY_READ, [number]))).length > 0,
    },
    async close() {
      await instance.leave();
      await database.close();
    },
  };
};

const NOTHING: Committed = { lost: new Set<string>(), takenOver: new Set<string>() };

const isEmpty = (batch: CartBatch): boolean =>
  Object.values(batch).every((part) => part === null || part === false || (Array.isArray(part) && part.length === 0));
