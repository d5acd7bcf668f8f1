/** The way between a client and the brokers, one for each process. */
export interface Wire {
  /** `arrive` happens at the broker, after the time on the way, also where the client has died meanwhile. */
  toBroker(arrive: () => void): void;
  /** `arrive` happens in the client's process, if it still lives. */
  toClient(arrive: () => void): void;
}

/** What became of a request, as far as its client can tell. */
export type Reply<T> =
  | { readonly kind: 'answered'; readonly value: T }
  /** No connection could be made: it has reached nobody. */
  | { readonly kind: 'refused' }
  /** Sent, and the connection was lost, or the time was over. */
  | { readonly kind: 'lost' };

export interface Node {
  readonly id: number;
  /** `stopped`: keeps its connections and answers nothing. */
  state: 'up' | 'stopped' | 'down';
  /** What arrived while it was stopped. */
  readonly backlog: (() => void)[];
  /** Cuts the connections of the requests that wait for its answer. */
  readonly connections: Set<() => void>;
}

export const createNodes = (count: number): readonly Node[] =>
  Array.from({ length: count }, (_, id) => ({ id, state: 'up', backlog: [], connections: new Set() }));

/** Its process is gone, with what it had not answered; what it had written stays. */
export const killNode = (node: Node): void => {
  node.state = 'down';
  node.backlog.length = 0;
  for (const cut of node.connections) cut();
};

export const stopNode = (node: Node): void => {
  if (node.state === 'up') node.state = 'stopped';
};

/** Comes up again, or goes on. */
export const startNode = (node: Node): void => {
  node.state = 'up';
  for (const action of node.backlog.splice(0)) action();
};

/** Happens there now, or once it goes on; never where it is down. */
export const arriveAt = (node: Node, action: () => void): void => {
  if (node.state === 'up') action();
  else if (node.state === 'stopped') node.backlog.push(action);
};

/** Asks a node over a wire, and waits for its answer. @param serve at the node; may answer later, or never */
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
