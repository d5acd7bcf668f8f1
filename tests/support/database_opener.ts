/** For sqlite.test.ts: opens each of the files at the moment when its turn has come. */
import { workerData } from 'node:worker_threads';
import { type DatabaseFile, openDatabase } from '#service_common/sqlite/sqlite.ts';

const { turn, files } = workerData as { turn: Int32Array; files: DatabaseFile[] };

Atomics.store(turn, 0, 1);
for (const [index, file] of files.entries()) {
  while (Atomics.load(turn, 0) < index + 2);
  openDatabase(file).close();
}
