/** The longest that a request may wait, in seconds. */
export const MAX_WAIT_S = 30;

/** `wait` in a list of preferences, plain or quoted, with or without parameters of its own. */
const WAIT = /(?:^|,)\s*wait\s*=\s*("?)(\d{1,9})\1\s*(?=[,;]|$)/i;

/**
 * The seconds that `Prefer: wait=N` (RFC 7240, section 4.3) asks for, at most `MAX_WAIT_S`; null where it does not. The
 * first one counts, and one that cannot be understood is ignored, as the RFC has it.
 */
export const preferredWait = (prefer: string | readonly string[] | undefined): number | null => {
  const seconds = WAIT.exec(prefer?.toString() ?? '')?.[2];
  return seconds === undefined ? null : Math.min(Number(seconds), MAX_WAIT_S);
};
