import type { CommandRequest } from '#cart_service/requests.ts';

/** What the waiting room knows of all attempts at one request that wait at the same time. */
export interface Attempts {
  inside: number;
  /** An event of one of them may be in the store. */
  stored: boolean;
  /** One of them was answered `unknown`: its repetition must find what the others do. */
  doubted: boolean;
}

/**
 * The attempts of the waiting requests. Two requests are attempts at one if they have the same idempotency key. Creates
 * with one fingerprint are one request too, and so are updates without a key.
 */
export interface AttemptCounts {
  enter(request: CommandRequest): readonly Attempts[];
  leave(request: CommandRequest): void;
  /** Marks the waiting attempts at a request whose own attempt is answered `unknown`. */
  doubt(request: CommandRequest): void;
}

const namesOf = ({ command, idempotencyKey }: CommandRequest): readonly string[] => {
  if (idempotencyKey === null) return [command.fingerprint];
  return command.kind === 'create' ? [command.fingerprint, idempotencyKey] : [idempotencyKey];
};

export const createAttemptCounts = (): AttemptCounts => {
  const counts = new Map<string, Attempts>();

  const enterOne = (name: string): Attempts => {
    const found = counts.get(name);
    if (found !== undefined) {
      found.inside += 1;
      return found;
    }
    const attempts = { inside: 1, stored: false, doubted: false };
    counts.set(name, attempts);
    return attempts;
  };

  return {
    enter: (request) => namesOf(request).map(enterOne),
    leave(request) {
      for (const name of namesOf(request)) {
        const attempts = counts.get(name);
        if (attempts === undefined) continue;
        attempts.inside -= 1;
        if (attempts.inside === 0) counts.delete(name);
      }
    },
    doubt(request) {
      for (const name of namesOf(request)) {
        const attempts = counts.get(name);
        if (attempts !== undefined) attempts.doubted = true;
      }
    },
  };
};
