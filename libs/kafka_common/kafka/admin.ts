import type { Admin } from '@platformatic/kafka';
import type { Clients } from './clients.ts';

/** The admin client in use. */
export interface CurrentAdmin {
  readonly client: Admin;
  /** Its server stands still: questions from now on go to another server, over new connections. */
  replace(): void;
}

export const createAdmin = (clients: Clients): CurrentAdmin => {
  let admin = clients.admin();
  return {
    get client() {
      return admin.client;
    },
    replace() {
      clients.askAnotherFirst();
      void admin.close();
      admin = clients.admin();
    },
  };
};
