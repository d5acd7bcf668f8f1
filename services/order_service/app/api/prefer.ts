import Type from 'typebox';

/** The longest time that a request can ask to wait, in seconds. */
const MAX_WAIT_S = 30;

/** The request header that `preferredWait` reads. */
export const Prefer = Type.Optional(
  Type.String({
    description: `\`wait=N\` (RFC 7240) waits up to N seconds, at most ${MAX_WAIT_S}, for an order that has not come yet`,
    examples: ['wait=5'],
  }),
);

/** The reply header that says how long a request was ready to wait, for the OpenAPI document. */
export const PREFERENCE_APPLIED = {
  type: 'string',
  pattern: '^wait=[0-9]+$',
  description: 'Only if `Prefer` asked to wait',
};

/** `wait` in a list of preferences: plain or quoted, with or without parameters of its own. */
const WAIT = /(?:^|,)\s*wait\s*=\s*("?)(\d{1,9})\1\s*(?=[,;]|$)/i;

/**
 * The seconds that `Prefer: wait=N` (RFC 7240, section 4.3) asks for, at most `MAX_WAIT_S`. Null if it does not ask. As
 * the RFC says, the first `wait` counts and one that is not valid is ignored.
 */
export const preferredWait = (prefer: string | readonly string[] | undefined): number | null => {
  const seconds = WAIT.exec(prefer?.toString() ?? '')?.[2];
  return seconds === undefined ? null : Math.min(Number(seconds), MAX_WAIT_S);
};
