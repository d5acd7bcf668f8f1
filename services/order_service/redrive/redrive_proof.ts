import { createHmac } from 'node:crypto';
import type { LetterPosition } from '#order_service/consumer_db.ts';
import { positionText } from './redrive_header.ts';

/** Where a redriven message goes: a partition of the topic with this id. */
interface RedriveTarget {
  readonly topicId: string;
  readonly partition: number;
}

/**
 * Returns the proof that this service redrives a letter to a target. Only the holder of the service's key can make it,
 * and the same arguments always give the same proof. So nothing must be stored before a letter is published: a crash
 * cannot separate the two, and a view that is built again from the log comes to the same result.
 *
 * Everybody can read a proof in the topic, and copy it. A copy counts only in the same partition of the same topic.
 * There it comes after the message that it was copied from, and that message has marked the letter already.
 */
export type RedriveProof = (letter: LetterPosition, target: RedriveTarget) => string;

export const createRedriveProof =
  (key: Buffer): RedriveProof =>
  (letter, { topicId, partition }) =>
    createHmac('sha256', key)
      .update(`${positionText(letter)} to ${topicId}/${partition}`)
      .digest('base64url');
