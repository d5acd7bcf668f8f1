const FIRST_MS = 100;
const LAST_MS = 1_000;

/** The pause before an attempt, counted from 1, in ms: 100, 200, 400, then at most 1,000. */
export const backoffMs = (attempt: number): number => Math.min(LAST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
