/** Asks once at a time: who wants to know while an answer is under way is given the same one. */
export const shareUnderWay = <T>(ask: () => Promise<T>): (() => Promise<T>) => {
  let underWay: Promise<T> | null = null;
  return () => {
    underWay ??= ask().finally(() => (underWay = null));
    return underWay;
  };
};
