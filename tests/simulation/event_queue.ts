/** Something that happens at a virtual time. */
export interface QueuedEvent {
  /** Virtual ms. */
  readonly at: number;
  /** Orders the events of one time: the lower number comes first. */
  readonly number: number;
}

/** A queue of future events, the earliest first: a binary heap. */
export const createEventQueue = <E extends QueuedEvent>() => {
  const heap: E[] = [];

  const isBefore = (a: E, b: E): boolean => a.at < b.at || (a.at === b.at && a.number < b.number);

  const rise = (event: E): void => {
    let index = heap.length;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || isBefore(parent, event)) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = event;
  };

  const sink = (event: E): void => {
    let index = 0;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      const right = heap[childIndex + 1];
      if (child === undefined) break;
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        childIndex += 1;
      }
      if (isBefore(event, child)) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = event;
  };

  return {
    push: rise,
    pop(): E | undefined {
      const [first] = heap;
      const last = heap.pop();
      if (last !== undefined && heap.length > 0) sink(last);
      return first;
    },
    get size() {
      return heap.length;
    },
  };
};
