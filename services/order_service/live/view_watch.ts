import type { ViewQueries } from '#order_service/consumer_db.ts';

/** Finds out that another Order Service has applied events to the same view. */
export interface ViewWatch {
  /**
   * Calls `onChange` after another process has committed, perhaps also without a reason. What was committed before the
   * call can be read when the call returns, and what is committed later is followed by a call of `onChange`.
   * @param onChange may fail; then it is called again with the next look
   * @returns ends it
   */
  follow(onChange: () => void | Promise<void>): () => void;
}

/** The view cannot notify other processes of a commit, so this looks, but only while somebody follows. */
const LOOK_MS = 20;

export const createViewWatch = ({ db }: { readonly db: Pick<ViewQueries, 'commits'> }): ViewWatch => {
  const followers = new Set<() => Promise<void>>();
  let timer: NodeJS.Timeout | null = null;
  /** Null if nobody has looked since the first of the followers came. */
  let seen: number | null = null;

  const lookForCommit = async (): Promise<void> => {
    try {
      const commits = await db.commits();
      if (commits === seen) return;
      await Promise.all(Array.from(followers, (onChange) => onChange()));
      seen = commits;
    } catch {
      // The view cannot be read now. The next look tries again.
    }
  };

  const look = async (): Promise<void> => {
    if (followers.size > 0) await lookForCommit();
    if (followers.size === 0) {
      timer = null;
      seen = null;
    } else lookLater();
  };

  const lookLater = (): void => {
    timer = setTimeout(() => void look(), LOOK_MS).unref();
  };

  return {
    follow(onChange) {
      const follower = async (): Promise<void> => onChange();
      followers.add(follower);
      if (timer === null) lookLater();
      return () => void followers.delete(follower);
    },
  };
};
