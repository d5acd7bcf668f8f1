import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';

/** Keys in one statement. With more keys, the time for each key hardly shrinks. */
const KEYS = 16;

/**
 * Prepares a look-up of any number of keys.
 * @param query makes the statement from the text of the keys: `SELECT ... WHERE key IN (${keys})`
 * @returns a function that returns the rows of all keys, in no order
 */
export const prepareLookup = (
  db: DatabaseSync,
  query: (keys: string) => string,
): ((keys: readonly string[]) => Record<string, SQLOutputValue>[]) => {
  const statement = db.prepare(query(Array.from({ length: KEYS }, () => '?').join(', ')));
  return (keys) => {
    const rows: Record<string, SQLOutputValue>[] = [];
    for (let n = 0; n < keys.length; n += KEYS) {
      // The rest of the last group is null, which equals nothing.
      const group = Array.from({ length: KEYS }, (_, i) => keys[n + i] ?? null);
      rows.push(...statement.all(...group));
    }
    return rows;
  };
};
