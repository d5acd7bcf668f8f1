import { StoreError } from '#service_common/store_error.ts';

/** What is durable of a store, apart from the processes that use it. States are never changed, only replaced. */
export interface Disk<S> {
  readonly state: S;
  /** Every state so far, the empty one first: of each there may be a copy. */
  readonly history: readonly S[];
  /** What a commit meets: `full` takes nothing; `failing` takes nothing either, but a recovery may find it. */
  trouble: 'none' | 'full' | 'failing';
  /** @throws StoreError */
  commit(change: (state: S) => S): void;
  /** A process opens the store. @param found whether it finds what the last failed commit left behind */
  recover(found: boolean): void;
  /** Puts a copy in its place. */
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

/** The way from a process to its store: when an effect takes place, and when its caller learns of it. */
export interface StoreLine {
  call<T>(name: string, effect: () => T): Promise<T>;
}

/** Effects at once, for use in real time. */
export const DIRECT: StoreLine = {
  // oxlint-disable-next-line require-await -- what the effect throws is to reject
  call: async (_name, effect) => effect(),
};
