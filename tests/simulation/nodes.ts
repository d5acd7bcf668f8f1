/** The network between one client process and the brokers. */
export interface Wire {
  /** Runs `arrive` at the broker after the time on the network, even if the client has died meanwhile. */
  toBroker(arrive: () => void): void;
  /** Runs `arrive` in the client's process, if that still lives. */
  toClient(arrive: () => void): void;
}

/** The result of a request, as its client sees it. */
export type Reply<T> =
  | { readonly kind: 'answered'; readonly value: T }
  /** No connection could be made, so the broker has not received it. */
  | { readonly kind: 'refused' }
  /** It was sent, but then the connection was lost, or the time-out passed. */
  | { readonly kind: 'lost' };

export interface Node {
  readonly id: number;
  /** `stopped`: it keeps its connections but does not answer. */
  state: 'up' | 'stopped' | 'down';
  /** What arrived while the node was stopped. */
  readonly backlog: (() => void)[];
  /** For each request that waits for an answer: what cuts its connection. */
  readonly connections: Set<() => void>;
}

export const createNodes = (count: number): readonly Node[] =>
  Array.from({ length: count }, (_, id) => ({ id, state: 'up', backlog: [], connections: new Set() }));

/** Ends the process of the node. Open requests get no answer; written records stay. */
export const killNode = (node: Node): void => {
  node.state = 'down';
  node.backlog.length = 0;
  for (const cut of node.connections) cut();
};

export const stopNode = (node: Node): void => {
  if (node.state === 'up') node.state = 'stopped';
};

/** Starts the node again, or lets it go on after a stop. */
export const startNode = (node: Node): void => {
  node.state = 'up';
  for (const action of node.backlog.splice(0)) action();
};

/** Runs the action at the node: now, or when a stopped node goes on; never if the node is down. */
export const arriveAt = (node: Node, action: () => void): void => {
  if (node.state === 'up') action();
  else if (node.state === 'stopped') node.backlog.push(action);
};

/** Asks a node over a wire, and waits for its answer. @param serve runs at the node; it may answer later, or never */
export const ask = <T>(
  wire: Wire,
  node: Node,
  timeoutMs: number,
  serve: (answer: (value: T) => void) => void,
): Promise<Reply<T>> =>
  new Promise((resolve) => {
    if (node.state === 'down') {
      wire.toClient(() => resolve({ kind: 'refused' }));
      return;
    }
    let isOver = false;
    const end = (reply: Reply<T>): void => {
      if (isOver) return;
      isOver = true;
      node.connections.delete(cut);
      wire.toClient(() => {
        clearTimeout(timer);
        resolve(reply);
      });
    };
    const cut = (): void => end({ kind: 'lost' });
    const timer =
      timeoutMs === Infinity
        ? undefined
        : setTimeout(() => {
            node.connections.delete(cut);
            resolve({ kind: 'lost' });
          }, timeoutMs);
    node.connections.add(cut);
    wire.toBroker(() => {
      if (!isOver) arriveAt(node, () => isOver || serve((value) => end({ kind: 'answered', value })));
    });
  });
