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

/** Letters that are shown before they are sent; --list shows all. */
const SHOWN = 10;
/** Characters of a new key or value that are shown before they are sent. */
const SHOWN_TEXT = 200;
/** The longest value that the service accepts, in characters. */
const MAX_VALUE_LENGTH = 1_000_000;

export const redrive = defineCommand({
  name: 'redrive',
  summary: 'Lists dead letters, and publishes them again.',
  details: `A dead letter is a message that the Order Service could not apply and has stored. Redrive publishes it to the
topic again: as it was, or with another key or value. The Order Service then reads it and records the outcome:
applied, duplicate, waiting (for its order), or dead_letter again.
Without options, redrive lists the held letters. To publish letters, select them by --all, --id, --reason or
--key. Several conditions select the letters for which all of them hold. On a terminal you are asked before
anything is sent; elsewhere give --yes. The letters are those that are held when you start: one that comes back dead is
not taken again. After a letter that could not be published, no letter with its key is sent. If the broker cannot be
reached, nothing more is. Ctrl-C ends it too, after the letters that are under way.`,
  options: {
    list: flag('only list; the same as without options'),
    id: {
      placeholder: 'N,...',
      description: 'the letters with these ids',
      read: (given) =>
        given === undefined ? undefined : (idsIn(given) ?? refuse(given, 'be ids, separated by commas')),
    },
    all: flag('all held letters'),
    reason: text('TEXT', 'the letters whose reason contains this'),
    key: text('KEY', 'the letters with this key'),
    'value-file': text('FILE', 'with one --id: publish the content of this file (UTF-8) as the value instead'),
    'new-key': text('KEY', 'with one --id: publish under this key instead'),
    'dry-run': flag('show what would be sent, but send nothing'),
    yes: flag('send without asking'),
    wait: count(0, 3_600, 30, 'seconds to wait for the outcome, for each batch of letters'),
    json: flag('one line of JSON per letter: the letter with --list, else its outcome'),
    url: serviceUrl('Order Service', 'ORDER_PORT', 8001),
  },
  found:
    'a letter was not found or not published, is a dead letter again, or has no outcome in time; or you answered no',
  examples: [
    ['', 'list the held letters and their reasons'],
    ['-- --id 3,5', 'publish two letters again, after you confirm'],
    ['-- --id 3 --value-file repaired.json', 'publish a letter with a repaired value'],
    ['-- --reason "unknown currency" --dry-run', 'show which letters of one kind would be sent'],
    ['-- --all --yes', 'publish all letters, in a script'],
  ],
  run: async ({ values, terminal, signal }) => {
    const { id: ids, all, reason, key, json, yes } = values;
    const selection: Selection = { ids, reason, key };
    const isNarrowed = [ids, reason, key].some((condition) => condition !== undefined);
    const changes = changesIn(values['value-file'], values['new-key']);
    if (all && isNarrowed) throw wrongUsage('give either --all, or --id, --reason and --key');
    if (changes !== null && ids?.size !== 1)
      throw wrongUsage('--value-file and --new-key need exactly one letter: give --id N');

    const service: Service = { name: 'Order Service', url: values.url };
    const isListing = values.list || (!all && !isNarrowed);
    const { found, last } = await show(selection, isListing ? Infinity : SHOWN, {
      service,
      terminal,
      json: json && isListing,
      signal,
    });
    const missing = (ids?.size ?? found) - found;
    if (missing > 0) terminal.note(`no held letter has ${missing} of the ids; without options, redrive lists all`);
    const end = missing > 0 ? EXIT.failed : EXIT.done;
    if (found === 0 || isListing) {
      terminal.note(
        found === 0
          ? isNarrowed
            ? 'no held letter matches'
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
    if (!yes && !terminal.isInteractive)
      throw wrongUsage('this is not a terminal, so nobody can confirm: give --yes to send');
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
    if (!json) for (const [outcome, n] of tally) await terminal.print(`${n} ${OUTCOME_TEXTS[outcome]}`);
    const sent = tally.values().reduce((sum, n) => sum + n, 0);
    if (sent < found) terminal.note(`${found - sent} were not sent`);
    return sent === found && tally.keys().every((outcome) => isGood({ outcome })) ? end : EXIT.failed;
  },
});

const OUTCOME_TEXTS: Readonly<Record<Fate['outcome'], string>> = {
  applied: 'applied',
  duplicate: 'without effect, because the event was already known',
  waiting: 'waiting for their order',
  dead_letter: 'a dead letter again, under a new id',
  published: 'published, but without an outcome in time',
  not_published: 'not published',
  unknown: 'possibly published',
  skipped: 'skipped',
};

const fateLine = ({ id, outcome, detail }: Fate): string =>
  `${id}  ${OUTCOME_TEXTS[outcome]}${detail === null ? '' : `: ${visible(detail)}`}`;

/** Shows the first `most` of the selected letters, and counts all of them. `last` is the highest id. */
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

/**
 * Sends the counted letters, batch after batch. After a letter that failed, none with the same key is sent. Ends when the
 * service could not publish anything.
 */
async function* sendSelected(
  selection: Selection,
  last: number,
  changes: Changes | null,
  waitMs: number,
  service: Service,
  signal: AbortSignal,
): AsyncGenerator<Fate> {
  const failedKeys = new Set<string>();
  for await (const letters of chunksOf(lettersOf(service, 'held', 0, signal), selection, last, failedKeys)) {
    const { fates, stopped } = await redriveChunk(
      service,
      letters.map(({ id }) => ({ id, ...changes })),
      waitMs,
      signal,
    );
    yield* fates;
    if (stopped !== null) return;
    const failed = new Set(fates.filter(isFailed).map(({ id }) => id));
    for (const { id, key } of letters) if (failed.has(id)) failedKeys.add(JSON.stringify(key));
  }
}

const isFailed = ({ outcome }: Fate): boolean => outcome === 'not_published' || outcome === 'unknown';

async function* chunksOf(
  letters: AsyncIterable<Letter>,
  selection: Selection,
  last: number,
  failedKeys: ReadonlySet<string>,
): AsyncGenerator<Pick<Letter, 'id' | 'key'>[]> {
  let chunk: Pick<Letter, 'id' | 'key'>[] = [];
  for await (const letter of letters) {
    if (letter.id > last) break;
    const { id, key } = letter;
    if (!isSelected(letter, selection) || failedKeys.has(JSON.stringify(key))) continue;
    chunk.push({ id, key });
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
    throw wrongUsage(`--value-file ${file} cannot be read: ${reasonOf(error)}`);
  }
  if (!isUtf8(bytes)) throw wrongUsage(`--value-file ${file} is not UTF-8`);
  // Editors add a line end and sometimes a byte order mark; neither belongs to the value.
  const value = bytes
    .toString()
    .replace(/^\uFEFF/, '')
    .replace(/\r?\n$/, '');
  if (value.length === 0 || value.length > MAX_VALUE_LENGTH)
    throw wrongUsage(`--value-file ${file} has ${value.length} characters, but must have 1 to ${MAX_VALUE_LENGTH}`);
  return value;
};
