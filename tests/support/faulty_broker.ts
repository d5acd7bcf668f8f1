import type { Broker, Fate, Message } from '#kafka_common/broker.ts';

/** What goes wrong with one publish. */
type Fault =
  /** Nothing is written, and the broker says so. */
  | 'not_written'
  /** Written, but the acknowledgement is lost. */
  | 'written_unknown'
  /** Lost on the way, and the client cannot know it. */
  | 'lost_unknown'
  /** Written, but the answer waits for `release`. */
  | 'held'
  /** Refused, but the answer waits for `release`. */
  | 'held_not_written';

export interface FaultyBroker {
  readonly broker: Broker;
  /** The faults of the next publishes, in turn. After the last one, all publishes succeed. */
  readonly faults: Fault[];
  /** While set, every publish is `not_written` and every probe fails. */
  down: boolean;
  /** The messages that Kafka refuses for what they are. */
  refuses: (message: Message) => boolean;
  /** The messages of every publish. */
  readonly published: (readonly Message[])[];
  release(): void;
}

const REFUSED: Fate = { kind: 'not_written', detail: 'MESSAGE_TOO_LARGE', fault: 'message' };

/** A real broker with faults between it and its client, so that a test decides the fate of each publish. */
export const withFaults = (real: Broker): FaultyBroker => {
  let released = Promise.withResolvers<void>();
  const faulty: FaultyBroker = {
    faults: [],
    down: false,
    refuses: () => false,
    published: [],
    release() {
      released.resolve();
      released = Promise.withResolvers();
    },
    broker: {
      ...real,
      async publish(topic, messages, timeoutMs) {
        faulty.published.push(messages);
        const fault = faulty.down ? 'not_written' : faulty.faults.shift();
        const all = (fate: Fate): Fate[] => messages.map(() => fate);
        if (fault === 'not_written') return all({ kind: 'not_written', detail: 'no broker' });
        if (fault === 'lost_unknown') return all({ kind: 'unknown', detail: 'connection lost' });
        if (fault === 'held_not_written') {
          await released.promise;
          return all({ kind: 'not_written', detail: 'no broker' });
        }
        const taken = await real.publish(
          topic,
          messages.filter((message) => !faulty.refuses(message)),
          timeoutMs,
        );
        const fates = messages.map((message) => (faulty.refuses(message) ? REFUSED : (taken.shift() ?? REFUSED)));
        if (fault === 'written_unknown') return all({ kind: 'unknown', detail: 'connection lost' });
        if (fault === 'held') await released.promise;
        return fates;
      },
      async probe(topic, leader, timeoutMs) {
        if (faulty.down) throw new Error('no broker');
        await real.probe(topic, leader, timeoutMs);
      },
    },
  };
  return faulty;
};
