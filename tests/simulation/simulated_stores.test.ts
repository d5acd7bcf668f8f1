import { cartStoreContract } from '#tests/contracts/cart_store_contract.ts';
import { consumerDbContract } from '#tests/contracts/consumer_db_contract.ts';
import { createCartDisk, createSimulatedCartStore } from './simulated_cart_store.ts';
import { createSimulatedConsumerDb, createViewDisk } from './simulated_consumer_db.ts';

cartStoreContract('the simulated store', () => {
  const disk = createCartDisk();
  return async () => createSimulatedCartStore(disk);
});

consumerDbContract('the simulated store', async () => {
  const disk = createViewDisk();
  return { open: async () => createSimulatedConsumerDb(disk), remove: async () => {} };
});
