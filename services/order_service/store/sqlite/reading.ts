import { StoreError } from '#service_common/store_error.ts';

/** Runs a query. @throws StoreError `STORE_UNAVAILABLE` */
export const reading = <T>(query: () => T): T => {
  try {
    return query();
  } catch (error) {
    throw new StoreError('STORE_UNAVAILABLE', `the store could not be read: ${String(error)}`, error);
  }
};
