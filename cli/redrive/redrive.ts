import { readFileSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { reasonOf } from '#service_common/reason_of.ts';
import { defineCommand } from '../command.ts';
import { EXIT, wrongUsage } from '../failures.ts';
import { count, flag, refuse, serviceUrl, text } from '../options.ts';
import { idsIn, isSelected, type Letter, letterLines, lettersOf, type Selection } from './letters.ts';
import { CHUNK_SIZE, type Fate, isGood, redriveChunk, type Sent } from './send.ts';
import type { Service } from '../service_client.ts';
import type { Terminal } from '../terminal.ts';
import { preview, visible, visibleJson } from '../visible.ts';

/** Of the letters that are to be sent, those that are shown before; --list shows all. */
const SHOWN = 10;
/** Characters of a new key or value that are shown before it is sent. */
const SHOWN_TEXT = 200;
/** What the service takes as a value. */
const MAX_VALUE_LENGTH = 1_000_000;

export const redrive = defineCommand({
  name: 'redrive',
  summary: 'Lists dead letters, and publishes them again.',
  details: `A dead letter is a message that the Order Service could not apply and has set aside. One that is published
again goes to the topic under its key, as it was or with another key or value, and comes back to the Order
Service, which notes what became of it: applied, duplicate, waiting (for its order), or dead_letter again.
Without options the held letters are listed. To publish, say which: --all, --id, --reason, --key (together:
those for which all hold). On a terminal you are asked before anything is sent; elsewhere give --yes.
After a letter that could not be published nothing more is sent.`,
  options: {
    list: flag('only list; also what is done without options'),
    id: {
      placeholder: 'N,...',
      description: 'the letters of these ids',
      read: (given) =>
        given === undefined ? undefined : (idsIn(given) ?? refuse(given, 'be ids, several separated by commas')),
    },
    all: flag('all letters that are held'),
    reason: text('TEXT', 'the letters whose reason contains this'),
    key: text('KEY', 'the letters under this key'),
    'value-file': text('FILE', 'with one --id: publish the content of this file (UTF-8) as the value'),
    'new-key': text('KEY', 'with one --id: publish under this key'),
    'dry-run': flag('show what would be sent, and send nothing'),
    yes: flag('send without asking'),
    wait: count(0, 3_600, 30, 'seconds to wait for the letters to come back, for each part of them'),
    json: flag('one line of JSON a letter: with --list as it is held, else what became of it'),
    url: serviceUrl('Order Service', 'ORDER_PORT', 8001),
  },
  found:
    'a letter was not published, has become a dead letter again, or has not come back in time; or the answer was no',
  examples: [
    ['', 'what is held, and why'],
    ['-- --id 3,5', 'publish two letters again, after a question'],
    ['-- --id 3 --value-file repaired.json', 'publish a letter with its value repaired'],
    ['-- --reason "unknown currency" --dry-run', 'what would be sent of a kind'],
    ['-- --all --yes', 'publish all of them, in a script'],
  ],
  run: async ({ values, terminal, signal }) => {
    const { id: ids, all, reason, key, json, yes } = values;
    const selection: Selection = { ids, reason, key };
    const isNarrowed = [ids, reason, key].some((condition) => condition !== undefined);
    const changes = changesIn(values['value-file'], values['new-key']);
    if (all && isNarrowed) throw wrongUsage('--all and --id, --reason or --key exclude each other');
    if (changes !== null && ids?.size !== 1) throw wrongUsage('--value-file and --new-key need one letter, by --id');

    const service: Service = { name: 'Order Service', url: values.url };
    const isListing = values.list || (!all && !isNarrowed);
    const { found, last } = await show(selection, isListing ? Infinity : SHOWN, {
      service,
      terminal,
      json: json && isListing,
      signal,
    });
    const missing = (ids?.size ?? found) - found;
    if (missing > 0) terminal.note(`${missing} of the ids ${missing === 1 ? 'is' : 'are'} no letter that is held`);
    const end = missing > 0 ? EXIT.failed : EXIT.done;
    if (found === 0 || isListing) {
      terminal.note(
        found === 0
          ? isNarrowed
            ? 'no such letter is held'
            : 'no dead letters are held'
          : `${found} ${found === 1 ? 'letter is' : 'letters are'} held`,
      );
      return end;
    }
    if (values['dry-run']) {
      const { key: newKey, value } = changes ?? {};
      if (newKey !== undefined) terminal.note(`    under the key ${preview(newKey, SHOWN_TEXT)}`);
      if (value !== undefined) terminal.note(`    with the value ${preview(value, SHOWN_TEXT)}`);
      terminal.note(`${found} would be published`);
      return end;
    }
    const question = `publish ${found === 1 ? 'this letter' : `these ${found} letters`} again?`;
    if (!yes && !terminal.isInteractive) throw wrongUsage('nobody can be asked here: give --yes to send');
    if (!yes && !(await terminal.confirm(question, signal))) {
      terminal.note('nothing was sent');
      return EXIT.failed;
    }
    const tally = new Map<Fate['outcome'], number>();
    for await (const fate of sendSelected(selection, last, changes, values.wait * 1_000, service, signal)) {
      tally.set(fate.outcome, (tally.get(fate.outcome) ?? 0) + 1);
      if (json) await terminal.print(visibleJson(fate));
      else if (!isGood(fate)) await terminal.print(fateLine(fate));
    }
    if (!json) for (const [outcome, n] of tally) await terminal.print(`${n} ${TOLD[outcome]}`);
    const sent = tally.values().reduce((sum, n) => sum + n, 0);
    if (sent < found) terminal.note(`${found - sent} were not sent any more`);
    return sent === found && tally.keys().every((outcome) => isGood({ outcome })) ? end : EXIT.failed;
  },
});

const TOLD: Readonly<Record<Fate['outcome'], string>> = {
  applied: 'applied',
  duplicate: 'without effect, as the event was known already',
  waiting: 'waiting for their order',
  dead_letter: 'set aside again, under a new id',
  published: 'published, but not seen again in time',
  not_published: 'not published',
  unknown: 'perhaps published',
  skipped: 'skipped',
};

const fateLine = ({ id, outcome, detail }: Fate): string =>
  `${id}  ${TOLD[outcome]}${detail === null ? '' : `: ${visible(detail)}`}`;

/** Shows the letters that are meant, the first of them at least, and counts them all. */
const show = async (
  selection: Selection,
  most: number,
  { service, terminal, json, signal }: { service: Service; terminal: Terminal; json: boolean; signal: AbortSignal },
): Promise<{ found: number; last: number }> => {
  let found = 0;
  let last = 0;
  for await (const letter of lettersOf(service, 'held', 0, signal)) {
    if (!isSelected(letter, selection)) continue;
    found += 1;
    last = letter.id;
    if (found > most) continue;
    if (most === Infinity) await terminal.print(json ? visibleJson(letter) : letterLines(letter));
    else terminal.note(letterLines(letter));
  }
  if (found > most) terminal.note(`… and ${found - most} more`);
  return { found, last };
};

/** Sends what was shown, part after part, and ends after one with a letter that could not be published. */
async function* sendSelected(
  selection: Selection,
  last: number,
  changes: Changes | null,
  waitMs: number,
  service: Service,
  signal: AbortSignal,
): AsyncGenerator<Fate> {
  for await (const letters of chunksOf(lettersOf(service, 'held', 0, signal), selection, last)) {
    const fates = await redriveChunk(
      service,
      letters.map(({ id }) => ({ id, ...changes })),
      waitMs,
      signal,
    );
    yield* fates;
    if (fates.some(({ outcome }) => outcome === 'not_published' || outcome === 'unknown')) return;
  }
}

async function* chunksOf(letters: AsyncIterable<Letter>, selection: Selection, last: number): AsyncGenerator<Sent[]> {
  let chunk: Sent[] = [];
  for await (const letter of letters) {
    if (letter.id > last) break;
    if (!isSelected(letter, selection)) continue;
    chunk.push({ id: letter.id });
    if (chunk.length < CHUNK_SIZE) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

type Changes = Omit<Sent, 'id'>;

const changesIn = (valueFile: string | undefined, key: string | undefined): Changes | null => {
  if (valueFile === undefined && key === undefined) return null;
  return {
    ...(key === undefined ? {} : { key }),
    ...(valueFile === undefined ? {} : { value: valueIn(valueFile) }),
  };
};

const valueIn = (file: string): string => {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw wrongUsage(`--value-file cannot be read: ${reasonOf(error)}`);
  }
  if (!isUtf8(bytes)) throw wrongUsage(`--value-file ${file} is not UTF-8`);
  // Editors end a file with a line; a byte order mark is theirs, too.
  const value = bytes
    .toString()
    .replace(/^\uFEFF/, '')
    .replace(/\r?\n$/, '');
  if (value.length === 0 || value.length > MAX_VALUE_LENGTH)
    throw wrongUsage(`--value-file ${file} has ${value.length} characters, but must have 1 to ${MAX_VALUE_LENGTH}`);
  return value;
};
