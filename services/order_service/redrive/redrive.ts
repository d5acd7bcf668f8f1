import { isUtf8 } from 'node:buffer';
import { type Broker, BrokerError, type Fate, type Message } from '#kafka_common/broker.ts';
import { withinMs } from '#service_common/within.ts';
import { Problem } from '#service_common/errors.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import type { ConsumerDb, StoredDeadLetter } from '#order_service/consumer_db.ts';
import { REDRIVEN_FROM, redrivenFrom } from './redrive_header.ts';

/** A dead letter to publish again: as it is, or with another key or value. */
interface RedriveRequest {
  readonly id: number;
  readonly key?: string | undefined;
  readonly value?: string | undefined;
}

interface RedriveFilter {
  readonly reason?: string | undefined;
  readonly key?: string | undefined;
}

interface RedriveResult {
  readonly id: number;
  readonly outcome: 'published' | 'not_published' | 'unknown' | 'skipped';
  readonly partition: number | null;
  readonly offset: number | null;
  readonly detail: string | null;
}

export interface Redriver {
  /** Publishes letters in the order of their ids. @throws Problem */
  letters(requests: readonly RedriveRequest[]): Promise<RedriveResult[]>;
  /** Publishes held letters that match, as they are. `next`: the id to go on after, or null. @throws Problem */
  matching(
    filter: RedriveFilter,
    after: number,
    limit: number,
  ): Promise<{ readonly results: RedriveResult[]; readonly next: number | null }>;
}

/** Of one publish: a letter can have a megabyte. */
const MAX_MESSAGES = 100;
const MAX_BYTES = 1_000_000;
const PUBLISH_MS = 5_000;
const RETRY_AFTER_S = 1;
const MAX_HELD_LOOKED_AT = 10_000;

interface Planned {
  readonly id: number;
  readonly message: Message;
}

export const createRedriver = ({
  db,
  broker,
  topic,
}: {
  readonly db: Pick<ConsumerDb, 'deadLetters'>;
  readonly broker: Pick<Broker, 'describeTopic' | 'publish'>;
  readonly topic: string;
}): Redriver => {
  let isUnderWay = false;

  const publish = async (planned: readonly Planned[]): Promise<RedriveResult[]> => {
    const found = await withinMs(PUBLISH_MS, broker.describeTopic(topic)).catch((error: unknown) => {
      throw unavailable(error instanceof BrokerError ? error.message : reasonOf(error));
    });
    if (found === null) throw unavailable(`topic ${topic} does not exist`);
    const fates = await broker.publish(
      found,
      planned.map(({ message }) => message),
      PUBLISH_MS,
    );
    return planned.map(({ id }, n) => resultOf(id, fates[n]));
  };

  /** Publishes what it is given, a bounded part at a time, and nothing after a message of the same key that failed. */
  const publishAll = async (letters: AsyncIterable<Planned | RedriveResult>): Promise<RedriveResult[]> => {
    const results: RedriveResult[] = [];
    const failedKeys = new Set<string>();
    let isDown = false;
    let batch: Planned[] = [];
    let bytes = 0;

    const flush = async (): Promise<void> => {
      const planned = batch;
      batch = [];
      bytes = 0;
      if (planned.length === 0) return;
      // What was published before this part stays so: its results must not be lost to a problem of a later one.
      const published = await publish(planned).catch((error: unknown) => {
        if (results.length === 0) throw error;
        return planned.map(({ id }) => result(id, 'not_published', reasonOf(error)));
      });
      results.push(...published);
      isDown = published.every(({ outcome }) => outcome !== 'published');
      published.forEach(({ outcome }, n) => {
        if (outcome !== 'published') failedKeys.add(planned[n]?.message.key ?? '');
      });
    };

    for await (const letter of letters) {
      if ('outcome' in letter) {
        results.push(letter);
        continue;
      }
      const size = Buffer.byteLength(letter.message.value);
      if (batch.length === MAX_MESSAGES || bytes + size > MAX_BYTES) await flush();
      if (isDown || failedKeys.has(letter.message.key)) {
        const detail = isDown ? 'those before could not be published' : 'one before with the same key failed';
        results.push(result(letter.id, 'skipped', detail));
        continue;
      }
      batch.push(letter);
      bytes += size;
    }
    await flush();
    return results.toSorted((a, b) => a.id - b.id);
  };

  /** One at a time, or two could publish the same letters in turns. */
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isUnderWay) throw new Problem('RedriveUnderWay', 'another redrive is under way; try again when it is done');
    isUnderWay = true;
    try {
      return await work();
    } finally {
      isUnderWay = false;
    }
  };

  async function* byId(requests: readonly RedriveRequest[]): AsyncGenerator<Planned | RedriveResult> {
    // The last one counts where an id comes twice.
    const wanted = new Map(requests.map((request) => [request.id, request]));
    for (const request of [...wanted.values()].toSorted((a, b) => a.id - b.id)) {
      const [letter] = await db.deadLetters(request.id - 1, 1);
      yield letter?.id === request.id
        ? plan(letter, request)
        : result(request.id, 'skipped', 'there is none of this id');
    }
  }

  return {
    letters: (requests) => alone(() => publishAll(byId(requests))),

    matching: (filter, after, limit) =>
      alone(async () => {
        let last = after;
        let isEnd = false;
        async function* matching(): AsyncGenerator<Planned | RedriveResult> {
          let found = 0;
          for (let lookedAt = 0; found < limit && lookedAt < MAX_HELD_LOOKED_AT; lookedAt += 1) {
            const [letter] = await db.deadLetters(last, 1, 'held');
            if (letter === undefined) {
              isEnd = true;
              return;
            }
            last = letter.id;
            if (!matches(letter, filter)) continue;
            found += 1;
            yield plan(letter, { id: letter.id });
          }
        }
        const results = await publishAll(matching());
        return { results, next: isEnd ? null : last };
      }),
  };
};

const matches = ({ reason, key }: StoredDeadLetter, filter: RedriveFilter): boolean =>
  (filter.reason === undefined || filter.reason === reason) &&
  (filter.key === undefined || filter.key === key?.toString());

/** What is published of a letter, or why nothing is. */
const plan = (letter: StoredDeadLetter, request: RedriveRequest): Planned | RedriveResult => {
  const { id } = letter;
  if (letter.redrive !== null) return result(id, 'skipped', 'it was redriven before');
  const key = request.key ?? textOf(letter.key);
  if (key === null) return result(id, 'skipped', 'its key is no text; give it one');
  const value = request.value ?? textOf(letter.value);
  if (value === null) return result(id, 'skipped', 'its value is no text; give it one');
  const headers: Record<string, string> = {};
  for (const [name, content] of letter.headers) {
    const text = textOf(content);
    if (text !== null) headers[name] = text;
  }
  return { id, message: { key, value, headers: { ...headers, [REDRIVEN_FROM]: redrivenFrom(letter) } } };
};

const textOf = (bytes: Buffer | null): string | null =>
  bytes !== null && bytes.length > 0 && isUtf8(bytes) ? bytes.toString() : null;

const result = (id: number, outcome: RedriveResult['outcome'], detail: string | null): RedriveResult => ({
  id,
  outcome,
  partition: null,
  offset: null,
  detail,
});

const resultOf = (id: number, fate: Fate | undefined): RedriveResult => {
  if (fate?.kind === 'acknowledged') {
    return { id, outcome: 'published', partition: fate.partition, offset: fate.offset, detail: null };
  }
  return result(id, fate?.kind === 'not_written' ? 'not_published' : 'unknown', fate?.detail ?? null);
};

const unavailable = (reason: string): Problem =>
  new Problem('KafkaBrokersUnavailable', `nothing was published: ${reason}`, {
    outcome: 'not_published',
    retryAfter: RETRY_AFTER_S,
  });
