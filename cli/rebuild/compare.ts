import { isDeepStrictEqual } from 'node:util';
import type { SnapshotOrder } from '#order_service/store/view_rebuild.ts';

/** How the live view and the rebuilt one differ in an order. */
export interface Difference {
  readonly orderId: string;
  /** `missing`: only the rebuilt view has the order. `not_in_log`: only the live view has it. */
  readonly kind: 'missing' | 'not_in_log' | 'different';
  readonly live: string | null;
  readonly rebuilt: string | null;
}

/**
 * Compares two views, order by order. Yields null for an order that is the same in both.
 * @param live by order id, in the order of characters; so is `rebuilt`
 */
export function* differencesBetween(
  live: Iterable<SnapshotOrder>,
  rebuilt: Iterable<SnapshotOrder>,
): Generator<Difference | null> {
  for (const [before, after] of pairsById(live, rebuilt)) {
    const orderId = before?.orderId ?? after?.orderId ?? '';
    if (before && after) {
      const what = whatDiffers(before, after);
      yield what.length === 0
        ? null
        : { orderId, kind: 'different', live: described(before, what), rebuilt: described(after, what) };
    } else {
      yield {
        orderId,
        kind: before ? 'not_in_log' : 'missing',
        live: before ? described(before, SHORT) : null,
        rebuilt: after ? described(after, SHORT) : null,
      };
    }
  }
}

type Part = 'version' | 'status' | 'pending' | 'body';

const SHORT: readonly Part[] = ['version', 'status', 'pending'];

const whatDiffers = (a: SnapshotOrder, b: SnapshotOrder): Part[] => [
  ...(a.version === b.version ? [] : (['version'] as const)),
  ...(a.status === b.status ? [] : (['status'] as const)),
  ...((a.body === null) === (b.body === null) ? [] : (['pending'] as const)),
  ...(a.body === null || b.body === null || isSameJson(a.body, b.body) ? [] : (['body'] as const)),
];

const described = ({ version, status, body }: SnapshotOrder, parts: readonly Part[]): string =>
  parts
    .map((part) => {
      if (part === 'version') return `version ${version}`;
      if (part === 'status') return status;
      if (part === 'pending') return body === null ? 'pending' : 'there';
      return `body ${body}`;
    })
    .join(', ');

/** Usually the text is the same, and need not be parsed. */
const isSameJson = (a: string, b: string): boolean => a === b || isDeepStrictEqual(JSON.parse(a), JSON.parse(b));

/** Pairs the orders of two lists that are sorted by id. Null stands for an order that one list does not have. */
function* pairsById(
  left: Iterable<SnapshotOrder>,
  right: Iterable<SnapshotOrder>,
): Generator<readonly [SnapshotOrder | null, SnapshotOrder | null]> {
  const [lefts, rights] = [left[Symbol.iterator](), right[Symbol.iterator]()];
  let [a, b] = [lefts.next(), rights.next()];
  while (!a.done || !b.done) {
    const [idA, idB] = [a.done ? null : a.value.orderId, b.done ? null : b.value.orderId];
    const isLeft = idA !== null && (idB === null || idA <= idB);
    const isRight = idB !== null && (idA === null || idB <= idA);
    yield [isLeft ? a.value : null, isRight ? b.value : null];
    if (isLeft) a = lefts.next();
    if (isRight) b = rights.next();
  }
}
