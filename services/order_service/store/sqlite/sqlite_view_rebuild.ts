import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryLockFile } from '#service_common/sqlite/file_lock.ts';
import { StoreError } from '#service_common/store_error.ts';
import type { ConsumerDb } from '#order_service/consumer_db.ts';
import type { ViewRebuild } from '#order_service/store/view_rebuild.ts';
import { openCheckpointedView } from './sqlite_view.ts';
import { VIEW_FILE } from './tables.ts';
import { exchangeView, FORMER_FILE, lockView, problemOfView, REBUILT_FILE, syncDirectory } from './view_files.ts';
import { openViewSnapshot } from './view_snapshot.ts';

/** The folder of the second view. It is beside the live view, so that a rename can exchange them. */
const BUILDING = 'order_view.rebuilding';

/** Begins a rebuild of the view in a folder; null if another one is under way there. @throws StoreError `STORE_REFUSED` */
export const openSqliteViewRebuild = (dataDir: string): ViewRebuild | null => {
  const unlock = tryLockFile({ directory: dataDir, name: BUILDING });
  if (unlock === null) return null;
  const directory = join(dataDir, BUILDING);
  const live = join(dataDir, VIEW_FILE);
  const built = join(directory, VIEW_FILE);
  const db = openEmptyView(directory, unlock);
  let isOpen = true;

  /** Moves the write-ahead log into the file, so that the view is one file. */
  const closeDb = async (): Promise<void> => {
    if (isOpen) await db.close();
    isOpen = false;
  };

  return {
    db,
    openLive: () => (existsSync(live) ? openViewSnapshot(live) : null),
    openRebuilt: () => openViewSnapshot(built),
    exchange: async () => {
      await closeDb();
      const problem = problemOfView(built);
      if (problem !== null) throw new StoreError('STORE_REFUSED', `the view that was built cannot be used: ${problem}`);
      // The rename makes it complete: from here on, the next start takes it up, whatever happens.
      const rebuilt = join(dataDir, REBUILT_FILE);
      renameSync(built, rebuilt);
      syncDirectory(dataDir);
      const unlockView = lockView(dataDir);
      if (unlockView === null) return { kind: 'postponed', rebuilt };
      try {
        return { kind: 'exchanged', former: exchangeView(dataDir) ? join(dataDir, FORMER_FILE) : null };
      } finally {
        unlockView();
      }
    },
    close: async () => {
      await closeDb();
      removeFolder(directory);
      unlock();
    },
  };
};

const openEmptyView = (directory: string, unlock: () => void): ConsumerDb => {
  try {
    // A killed rebuild can have left files.
    removeFolder(directory);
    return openCheckpointedView(directory);
  } catch (error) {
    unlock();
    throw error;
  }
};

const removeFolder = (path: string): void => rmSync(path, { recursive: true, force: true });
