import { type Broker, BrokerError, type Fate, type Message, type Topic } from '#kafka_common/broker.ts';
import { partitionOf } from '#kafka_common/partitioner.ts';
import { reasonOf } from '#service_common/reason_of.ts';
import { withinMs } from '#service_common/within.ts';
import { partsOf } from './letter_parts.ts';
import type { LetterPlan, PlannedMessage } from './plan_letter.ts';
import { redriveHeaders } from './redrive_header.ts';
import type { RedriveProof } from './redrive_proof.ts';

export interface RedriveResult {
  readonly id: number;
  readonly outcome: 'published' | 'not_published' | 'unknown' | 'skipped';
  readonly partition: number | null;
  readonly offset: number | null;
  readonly detail: string | null;
}

/** Why nothing more was published. */
interface Stop {
  readonly reason: string;
  /** The last letter that was tried; 0 if none was. */
  readonly last: number;
}

export type PublishedLetters =
  /** The result of each letter, by id. Letters after a stop by the signal have none. */
  | { readonly kind: 'done'; readonly results: RedriveResult[]; readonly stopped: Stop | null }
  /** The topic cannot be reached, so nothing was published. */
  | { readonly kind: 'unavailable'; readonly reason: string };

export interface LetterTopic {
  readonly broker: Pick<Broker, 'describeTopic' | 'publish'>;
  readonly topic: string;
  readonly proof: RedriveProof;
}

const PUBLISH_MS = 5_000;

/**
 * Publishes letters in the order given, a part at a time. After a letter that failed, no letter with the same key is
 * published. A letter that the broker refuses for what it is does not concern the others. If nothing of a part can be
 * published for any other reason, nothing more is.
 * @param failedKeys the keys of letters that failed before; gains those that fail now
 * @param signal ends it after the part under way
 */
export const publishLetters = async (
  letterTopic: LetterTopic,
  plans: AsyncIterable<LetterPlan>,
  failedKeys: Set<string>,
  signal: AbortSignal,
): Promise<PublishedLetters> => {
  const results: RedriveResult[] = [];
  let stopped: Stop | null = null;
  let last = 0;

  for await (const part of partsOf(plans)) {
    if (signal.aborted) {
      stopped ??= { reason: 'the client has gone', last };
      break;
    }
    const wanted: PlannedMessage[] = [];
    for (const plan of part) {
      const reason = reasonToSkip(plan, stopped, failedKeys);
      if (reason !== null) results.push(notPublished(plan.id, 'skipped', reason));
      else if (plan.kind === 'publish') wanted.push(plan);
    }
    if (stopped === null) last = part.at(-1)?.id ?? last;
    if (wanted.length === 0) continue;
    const sent = await publish(letterTopic, wanted);
    // The results of the parts before this one are kept: their letters are published.
    if (sent.kind === 'unavailable' && results.length === 0) return sent;
    const published = wanted.map(({ id }, n) =>
      sent.kind === 'sent' ? resultOf(id, sent.fates[n]) : notPublished(id, 'not_published', sent.reason),
    );
    results.push(...published);
    published.forEach(({ outcome }, n) => {
      if (outcome !== 'published') failedKeys.add(wanted[n]?.message.key ?? '');
    });
    const reason = reasonToStop(sent);
    if (reason !== null) stopped = { reason, last };
  }
  return { kind: 'done', results: results.toSorted((a, b) => a.id - b.id), stopped };
};

const reasonToSkip = (plan: LetterPlan, stopped: Stop | null, failedKeys: ReadonlySet<string>): string | null => {
  if (plan.kind === 'skip') return plan.detail;
  if (stopped !== null) return 'the letters before it could not be published';
  return failedKeys.has(plan.message.key) ? 'a letter before it with the same key failed' : null;
};

/** Null if something was published, or if the fault was only that of the messages. */
const reasonToStop = (sent: Sent): string | null => {
  if (sent.kind === 'unavailable') return sent.reason;
  const failures = sent.fates.filter((fate) => fate.kind !== 'acknowledged');
  if (failures.length < sent.fates.length) return null;
  return failures.find((fate) => fate.kind === 'unknown' || fate.fault !== 'message')?.detail ?? null;
};

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
  return { ...message, headers: [...message.headers, ...headers] };
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
