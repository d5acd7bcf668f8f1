/** One thing that a service needs for its work. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** Why not; null if it is ok. */
  readonly reason: string | null;
}

/** Whether a service can do its work now, and if not, why. All other fields are details for operators. */
export interface Readiness {
  readonly ready: boolean;
  readonly reason: string | null;
  readonly checks: readonly Check[];
  readonly [detail: string]: unknown;
}

/** A check that fails for this reason. It is ok if the reason is null. */
export const check = (name: string, reason: string | null): Check => ({ name, ok: reason === null, reason });

/** `since`: the time (ISO 8601) of the last change of `ok`, as precise as the time between two looks. */
export type TimedCheck = Check & { readonly since: string };

/** Remembers when each check last became ok or failed. */
export const createCheckHistory = (now: () => number): ((checks: readonly Check[]) => TimedCheck[]) => {
  const known = new Map<string, { readonly ok: boolean; readonly since: string }>();
  return (checks) =>
    checks.map((checked) => {
      const { name, ok } = checked;
      let state = known.get(name);
      if (state?.ok !== ok) {
        state = { ok, since: new Date(now()).toISOString() };
        known.set(name, state);
      }
      return { ...checked, since: state.since };
    });
};
