import { StoreError } from '#service_common/store_error.ts';

/** The durable state of a store, outside of the processes that use it. A state is never changed, only replaced. */
export interface Disk<S> {
  readonly state: S;
  /** Every state so far, the empty one first; each can be restored as a copy. */
  readonly history: readonly S[];
  /** What happens to a commit: `full` rejects it; `failing` rejects it too, but a recovery may find it. */
  trouble: 'none' | 'full' | 'failing';
  /** @throws StoreError */
  commit(change: (state: S) => S): void;
  /** A process opens the store. @param found whether it finds the last commit that failed */
  recover(found: boolean): void;
  /** Replaces the state by a copy. */
  restore(state: S): void;
}

export const createDisk = <S>(empty: S): Disk<S> => {
  const history = [empty];
  let state = empty;
  let inDoubt: S | null = null;

  const replace = (next: S): void => {
    state = next;
    inDoubt = null;
    history.push(next);
  };

  const disk: Disk<S> = {
    get state() {
      return state;
    },
    history,
    trouble: 'none',
    commit(change) {
      const next = change(state);
      if (disk.trouble === 'full') throw new StoreError('STORE_UNAVAILABLE', 'the disk is full');
      if (disk.trouble === 'failing') {
        inDoubt = next;
        throw new StoreError('STORE_IN_DOUBT', 'the disk failed to sync');
      }
      replace(next);
    },
    recover(found) {
      if (found && inDoubt !== null) replace(inDoubt);
      inDoubt = null;
    },
    restore: replace,
  };
  return disk;
};

/** The connection of a process to its store. It decides when an effect happens, and when the caller gets the result. */
export interface StoreLine {
  call<T>(name: string, effect: () => T): Promise<T>;
}

/** Runs effects at once, for real time. */
export const DIRECT: StoreLine = {
  // oxlint-disable-next-line require-await -- an error of the effect must become a rejection
  call: async (_name, effect) => effect(),
};
