import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { count } from '../format.js';
import { useFetched } from '../hooks.js';
import { flow } from '../live.js';
import { Problem } from '../parts/basics.js';
import { lastRedrive, redriveAll, redriveLetters } from '../redrive.js';
import { hashOf, go, route } from '../router.js';
import { DeadLetterItem } from './dead_letter.js';
import { RedriveResult } from './redrive_result.js';

/** @import { DeadLetterPage, Fetched } from '../types.d.ts' */

/** Few, because a letter can have a megabyte. */
const PAGE = 20;
const COMES_BACK_MS = 10_000;

/** @param {{ isRedriven: boolean }} props */
export const DeadLetters = ({ isRedriven }) => {
  const after = route.value.query['after'] ?? '0';
  const state = isRedriven ? 'redriven' : 'held';
  /** @type {Fetched<DeadLetterPage>} */
  const { last, failure, reload } = useFetched(`/dead-letters?state=${state}&limit=${PAGE}&after=${after}`);
  const [chosen, setChosen] = useState(/** @type {ReadonlySet<number>} */ (new Set()));
  const letters = last?.deadLetters ?? [];

  const total = flow.value?.counts.deadLetters;
  const redrive = lastRedrive.value;
  useEffect(() => reload(), [total, redrive?.isRunning]);
  // A redriven letter comes back through the topic, which takes a moment.
  useEffect(
    () =>
      flow.subscribe(() => {
        if (Date.now() - (lastRedrive.value?.startedAt ?? 0) < COMES_BACK_MS) reload();
      }),
    [reload],
  );

  /** @param {number} id */
  const toggle = (id) => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setChosen(next);
  };
  const selected = letters.filter(({ id }) => chosen.has(id)).map(({ id }) => ({ id }));
  const redriveSelected = async () => {
    await redriveLetters(selected);
    setChosen(new Set());
  };
  const isAll = letters.length > 0 && selected.length === letters.length;
  return html`<${RedriveResult} />
    <${Problem} failure=${failure} onRetry=${reload} />
    ${
      isRedriven || letters.length === 0
        ? null
        : html`<div class="row toolbar">
              <label class="check">
                <input
                  type="checkbox"
                  checked=${isAll}
                  onChange=${() => setChosen(isAll ? new Set() : new Set(letters.map(({ id }) => id)))}
                />
                All on this page
              </label>
              <button type="button" disabled=${selected.length === 0 || redrive?.isRunning} onClick=${redriveSelected}>
                Redrive ${count(selected.length)} selected
              </button>
            </div>
            <${ByFilter} reasons=${letters.map(({ reason }) => reason)} />`
    }
    ${last !== null && letters.length === 0 ? html`<p class="nothing">${isRedriven ? 'No dead letter was redriven yet.' : 'There are no dead letters: every message could be applied.'}</p>` : null}
    <ol class="letters">
      ${letters.map(
        (letter) =>
          html`<${DeadLetterItem}
            key=${letter.id}
            letter=${letter}
            isChosen=${chosen.has(letter.id)}
            onToggle=${isRedriven ? null : toggle}
          />`,
      )}
    </ol>
    <${Pages} after=${after} last=${letters.length === PAGE ? (letters.at(-1)?.id ?? null) : null} />`;
};

/** @param {{ after: string, last: number | null }} props */
const Pages = ({ after, last }) => {
  const part = route.value.id;
  if (after === '0' && last === null) return null;
  return html`<div class="row toolbar">
    <button type="button" disabled=${after === '0'} onClick=${() => go(hashOf('attention', part))}>First</button>
    <button
      type="button"
      disabled=${last === null}
      onClick=${() => go(hashOf('attention', part, { after: String(last) }))}
    >
      Next
    </button>
  </div>`;
};

/** Redrives all letters that match, not only those on this page. @param {{ reasons: string[] }} props */
const ByFilter = ({ reasons }) => {
  const [reason, setReason] = useState('');
  const [key, setKey] = useState('');
  const isRunning = lastRedrive.value?.isRunning ?? false;
  const known = [...new Set(reasons)];
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    void redriveAll({ ...(reason === '' ? {} : { reason }), ...(key === '' ? {} : { key }) });
  };
  return html`<details class="by-filter">
    <summary>Redrive all that match</summary>
    <datalist id="reasons">${known.map((text) => html`<option value=${text}></option>`)}</datalist>
    <form class="row toolbar" onSubmit=${submit}>
      <label class="grow">
        <span>Reason, exactly (empty: any reason)</span>
        <input
          list="reasons"
          value=${reason}
          onInput=${(/** @type {any} */ event) => setReason(event.currentTarget.value)}
        />
      </label>
      <label class="grow">
        <span>Key, exactly (empty: any key)</span>
        <input value=${key} onInput=${(/** @type {any} */ event) => setKey(event.currentTarget.value)} />
      </label>
      <button type="submit" disabled=${isRunning}>
        Redrive ${reason === '' && key === '' ? 'all dead letters' : 'all that match'}
      </button>
    </form>
  </details>`;
};
