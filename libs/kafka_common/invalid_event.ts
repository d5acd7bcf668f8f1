/** The reason why some JSON is not an event, in words that an operator can act on. */
export class InvalidEvent extends Error {}

/** @throws InvalidEvent */
export const fail = (reason: string): never => {
  throw new InvalidEvent(reason);
};

const QUOTED_CHARACTERS = 100;

/** A value of any producer, for a reason: reasons go into logs and dead letters, so a long text is cut. */
export const quote = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, QUOTED_CHARACTERS));
  return value === undefined ? 'undefined' : `of type ${typeof value}`;
};
