/** A worker for `open_database.test.ts`: opens each file in the moment in which the test opens it too. */
import { workerData } from 'node:worker_threads';
import { type DatabaseFile, openDatabase } from '#service_common/sqlite/open_database.ts';

const { turn, files } = workerData as { turn: Int32Array; files: DatabaseFile[] };

Atomics.store(turn, 0, 1);
for (const [index, file] of files.entries()) {
  while (Atomics.load(turn, 0) < index + 2);
  openDatabase(file).close();
}
