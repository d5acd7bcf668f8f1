/** Counts of what happened in the runs. They show that the faults really occurred. */
export type Coverage = Record<(typeof COVERED)[number], number>;

export const COVERED = [
  'virtual seconds',
  'events',
  'exchanges',
  'answered 200',
  'answered unknown',
  'answered not done',
  'refused by rule',
  'refused by a full room',
  'keys used for another request',
  'without answer',
  'cart crashes',
  'order crashes',
  'terminations',
  'members paused past their session',
  'assignments',
  'fates unknown',
  'fates not written',
  'written late',
  'duplicates in the log',
  'batches delivered twice',
  'leaders down',
  'leaders stopped',
  'commits refused by a full disk',
  'commits in doubt',
  'commits of a zombie refused',
  'stores restored or deleted',
  'versions of others',
  'high versions',
  'transactions committed',
  'transactions aborted',
  'records of aborted transactions',
  'clock jumps',
  'dead letters',
  'letters redriven',
  'partitions added',
  'topics made again',
  'topics limited',
  'messages refused for their size',
  'requests that could not be planned',
] as const;

export const noCoverage = (): Coverage => Object.fromEntries(COVERED.map((name) => [name, 0])) as Coverage;

export const addCoverage = (sum: Coverage, more: Coverage): void => {
  for (const name of COVERED) sum[name] += more[name];
};
