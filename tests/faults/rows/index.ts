import type { Fault } from '#tests/faults/fault.ts';
import { backlogRows } from './backlog.ts';
import { brokerRows } from './broker.ts';
import { clockRows } from './clock.ts';
import { clusterRows } from './cluster.ts';
import { crashPointRows } from './crash_points.ts';
import { diskRows } from './disk.ts';
import { embeddedRows } from './embedded.ts';
import { httpAbuseRows } from './http_abuse.ts';
import { foreignTransactionRows } from './foreign_transactions.ts';
import { networkRows } from './network.ts';
import { overloadRows } from './overload.ts';
import { poisonRows } from './poison.ts';
import { racingClientRows } from './racing_clients.ts';
import { replayRows } from './replay.ts';
import { retentionRows } from './retention.ts';
import { sigtermRows } from './sigterm.ts';
import { storeRows } from './stores.ts';
import { topicLifeRows } from './topic_life.ts';
import { wildRecordRows } from './wild_records.ts';
import { zombieRows } from './zombie.ts';

/** The rows of the campaign, in the sequence in which they are played. */
export const ROWS: readonly Fault[] = [
  ...brokerRows,
  ...clusterRows,
  ...networkRows,
  ...crashPointRows,
  ...sigtermRows,
  ...diskRows,
  ...backlogRows,
  ...zombieRows,
  ...replayRows,
  ...storeRows,
  ...poisonRows,
  ...retentionRows,
  ...foreignTransactionRows,
  ...wildRecordRows,
  ...topicLifeRows,
  ...racingClientRows,
  ...clockRows,
  ...httpAbuseRows,
  ...overloadRows,
  ...embeddedRows,
];
