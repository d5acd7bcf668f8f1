import { fetchBody, type Service } from '../service_client.ts';
import { preview, visible } from '../visible.ts';

/** Bytes as `GET /dead-letters` gives them. */
type Bytes = { readonly text: string } | { readonly base64: string } | null;

export interface Letter {
  readonly id: number;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly key: Bytes;
  readonly value: Bytes;
  readonly reason: string;
  readonly storedAt: string;
  readonly redriven: { readonly outcome: string } | null;
}

/** Selects held letters: all conditions that are given must hold. */
export interface Selection {
  readonly ids: ReadonlySet<number> | undefined;
  /** The reason must contain this. */
  readonly reason: string | undefined;
  readonly key: string | undefined;
}

/** Letters per page: a single letter can have a megabyte. */
const PAGE_SIZE = 50;

/** Reads the letters above the id `after` in the order of their ids, a page at a time. @throws Failure */
export async function* lettersOf(
  service: Service,
  state: 'held' | 'redriven',
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Letter> {
  for (let last = after; ;) {
    const path = `/dead-letters?state=${state}&after=${last}&limit=${PAGE_SIZE}`;
    const { deadLetters } = await fetchBody<{ deadLetters: readonly Letter[] }>(service, path, {}, signal);
    yield* deadLetters;
    if (deadLetters.length < PAGE_SIZE) return;
    last = deadLetters.at(-1)?.id ?? last;
  }
}

export const isSelected = ({ id, reason, key }: Letter, selection: Selection): boolean =>
  (selection.ids === undefined || selection.ids.has(id)) &&
  (selection.reason === undefined || reason.includes(selection.reason)) &&
  (selection.key === undefined || (key !== null && 'text' in key && key.text === selection.key));

const PREVIEW_LENGTH = 100;

/** Three lines for people, safe to print on a terminal. */
export const letterLines = (letter: Letter): string => {
  const { id, topic, partition, offset, key, value, reason, storedAt } = letter;
  const head = `${id}  ${visible(topic)} ${partition}@${offset}  key ${shown(key)}  stored ${visible(storedAt)}`;
  return `${head}\n    ${preview(reason, 200)}\n    ${shown(value)}`;
};

const shown = (bytes: Bytes): string => {
  if (bytes === null) return '(none)';
  if ('text' in bytes) return `"${preview(bytes.text, PREVIEW_LENGTH)}"`;
  const content = Buffer.from(bytes.base64, 'base64');
  const beginning = content.subarray(0, PREVIEW_LENGTH / 4).toString('hex');
  return `${content.length} bytes, 0x${beginning}${content.length > PREVIEW_LENGTH / 4 ? '…' : ''}`;
};

/** Reads `1,5,7`; null if the text is anything else. */
export const idsIn = (text: string): ReadonlySet<number> | null =>
  /^[1-9]\d{0,14}(,[1-9]\d{0,14})*$/.test(text) ? new Set(text.split(',').map(Number)) : null;
