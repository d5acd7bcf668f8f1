import type { LetterPlan, PlannedMessage } from './plan_letter.ts';

/** Limits of one publish, because a letter can have 1 MB. */
const MAX_MESSAGES = 100;
const MAX_BYTES = 1_000_000;

/**
 * Splits letters into parts that one publish can take. A part has one letter of each key, so that the fate of a letter
 * is known before the next one with its key is sent.
 */
export async function* partsOf(plans: AsyncIterable<LetterPlan>): AsyncGenerator<readonly LetterPlan[]> {
  let part: LetterPlan[] = [];
  let keys = new Set<string>();
  let bytes = 0;
  for await (const plan of plans) {
    const size = plan.kind === 'publish' ? sizeOf(plan.message) : 0;
    const isNextOfKey = plan.kind === 'publish' && keys.has(plan.message.key);
    if (isNextOfKey || part.length === MAX_MESSAGES || bytes + size > MAX_BYTES) {
      if (part.length > 0) yield part;
      part = [];
      keys = new Set();
      bytes = 0;
    }
    part.push(plan);
    if (plan.kind === 'publish') keys.add(plan.message.key);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

const sizeOf = ({ value, headers }: PlannedMessage['message']): number =>
  headers.reduce((sum, [name, content]) => sum + name.length + (content?.length ?? 0), Buffer.byteLength(value));
