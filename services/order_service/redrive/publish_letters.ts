import { type Broker, BrokerError, type Fate, type Message, type Topic } from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { withinMs } from '#service_common/within.ts';
import type { LetterPlan } from './plan_letter.ts';
import { redriveHeaders } from './redrive_header.ts';
import type { RedriveProof } from './redrive_proof.ts';

export interface RedriveResult {
  readonly id: number;
  readonly outcome: 'published' | 'not_published' | 'unknown' | 'skipped';
  readonly partition: number | null;
  readonly offset: number | null;
  readonly detail: string | null;
}

export type PublishedLetters =
  /** One result for each letter, by id. */
  | { readonly kind: 'done'; readonly results: RedriveResult[] }
  /** The topic cannot be reached, so nothing was published. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface LetterTopic {
  readonly broker: Pick<Broker, 'describeTopic' | 'publish'>;
  readonly topic: string;
  readonly proof: RedriveProof;
}

type PlannedMessage = Extract<LetterPlan, { kind: 'publish' }>;

/** Limits of one publish, because a letter can have 1 MB. */
const MAX_MESSAGES = 100;
const MAX_BYTES = 1_000_000;
const PUBLISH_MS = 5_000;

/**
 * Publishes letters in the order given, a bounded part at a time. After a letter that failed, no letter with the same
 * key is published. After a part of which nothing was published, nothing more is.
 */
export const publishLetters = async (
  letterTopic: LetterTopic,
  plans: AsyncIterable<LetterPlan>,
): Promise<PublishedLetters> => {
  const results: RedriveResult[] = [];
  const failedKeys = new Set<string>();
  let isDown = false;

  for await (const part of inParts(plans)) {
    const wanted: PlannedMessage[] = [];
    for (const plan of part) {
      if (plan.kind === 'skip') results.push(notPublished(plan.id, 'skipped', plan.detail));
      else if (isDown) results.push(notPublished(plan.id, 'skipped', 'the letters before it could not be published'));
      else if (failedKeys.has(plan.message.key)) {
        results.push(notPublished(plan.id, 'skipped', 'a letter before it with the same key failed'));
      } else wanted.push(plan);
    }
    if (wanted.length === 0) continue;
    const sent = await publish(letterTopic, wanted);
    // The results of the parts before this one are kept: their letters are published.
    if (sent.kind === 'unavailable' && results.length === 0) return sent;
    const published = wanted.map(({ id }, n) =>
      sent.kind === 'sent' ? resultOf(id, sent.fates[n]) : notPublished(id, 'not_published', sent.reason),
    );
    results.push(...published);
    isDown = published.every(({ outcome }) => outcome !== 'published');
    published.forEach(({ outcome }, n) => {
      if (outcome !== 'published') failedKeys.add(wanted[n]?.message.key ?? '');
    });
  }
  return { kind: 'done', results: results.toSorted((a, b) => a.id - b.id) };
};

/** Splits letters into parts that one publish can take. */
async function* inParts(plans: AsyncIterable<LetterPlan>): AsyncGenerator<readonly LetterPlan[]> {
  let part: LetterPlan[] = [];
  let bytes = 0;
  for await (const plan of plans) {
    const size = plan.kind === 'publish' ? sizeOf(plan.message) : 0;
    if (part.length === MAX_MESSAGES || bytes + size > MAX_BYTES) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(plan);
    bytes += size;
  }
  yield part;
}

const sizeOf = ({ value }: Message): number => Buffer.byteLength(value);

type Sent =
  | { readonly kind: 'sent'; readonly fates: readonly Fate[] }
  | { readonly kind: 'unavailable'; readonly reason: string };

const publish = async ({ broker, topic, proof }: LetterTopic, wanted: readonly PlannedMessage[]): Promise<Sent> => {
  try {
    const found = await withinMs(PUBLISH_MS, broker.describeTopic(topic));
    if (found === null) return { kind: 'unavailable', reason: `topic ${topic} does not exist` };
    const messages = wanted.map((planned) => redriven(planned, found, proof));
    return { kind: 'sent', fates: await broker.publish(found, messages, PUBLISH_MS) };
  } catch (error) {
    // Publishing never rejects: it was the topic that could not be described.
    return { kind: 'unavailable', reason: error instanceof BrokerError ? error.message : reasonOf(error) };
  }
};

const redriven = ({ letter, message }: PlannedMessage, topic: Topic, proof: RedriveProof): Message => {
  const partition = partitionOf(message.key, topic.partitions);
  const headers = redriveHeaders(letter, proof(letter, { topicId: topic.id, partition }));
  return { ...message, headers: { ...message.headers, ...headers } };
};

const resultOf = (id: number, fate: Fate | undefined): RedriveResult => {
  if (fate?.kind === 'acknowledged') {
    return { id, outcome: 'published', partition: fate.partition, offset: fate.offset, detail: null };
  }
  return notPublished(id, fate?.kind === 'not_written' ? 'not_published' : 'unknown', fate?.detail ?? null);
};

const notPublished = (
  id: number,
  outcome: Exclude<RedriveResult['outcome'], 'published'>,
  detail: string | null,
): RedriveResult => ({ id, outcome, partition: null, offset: null, detail });
