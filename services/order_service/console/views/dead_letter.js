import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { toBytes, toText } from '../bytes.js';
import { size } from '../format.js';
import { Ago, Foreign, Time } from '../parts/basics.js';
import { BytesView } from '../parts/bytes_view.js';
import { lastRedrive, redriveLetters } from '../redrive.js';
import { hidesSomething } from '../visible_text.js';

/** @import { Bytes, DeadLetter, Redriven } from '../types.d.ts' */

const SHORT = 80;

/** @param {{ letter: DeadLetter, isChosen: boolean, onToggle: ((id: number) => void) | null }} props */
export const DeadLetterItem = ({ letter, isChosen, onToggle }) => {
  const [isOpen, setIsOpen] = useState(false);
  const { id, topic, partition, offset, key, reason, storedAt, redriven } = letter;
  const keyText = key === null ? 'no key' : toText(key);
  return html`<li class="panel letter" data-id=${id}>
    <div class="letter-head">
      ${
        onToggle === null
          ? null
          : html`<input
              type="checkbox"
              aria-label=${`Select dead letter ${id}`}
              checked=${isChosen}
              onChange=${() => onToggle(id)}
            />`
      }
      <div class="grow">
        <p>
          <b><${Foreign} text=${reason} /></b>
        </p>
        <p class="muted">
          <span class="any">${topic}</span>${`, partition ${partition}, offset ${offset} · key `}<${Foreign}
            text=${keyText.slice(0, SHORT)}
          />${` · ${size(toBytes(letter.value).length)} · stored `}<${Ago} at=${storedAt} />
        </p>
        ${redriven === null ? null : html`<${RedriveOutcome} redriven=${redriven} />`}
      </div>
      <button type="button" aria-expanded=${isOpen} onClick=${() => setIsOpen(!isOpen)}>
        ${isOpen ? 'Close' : 'Open'}<span class="unseen"> dead letter ${id}</span>
      </button>
    </div>
    ${isOpen ? html`<${Opened} letter=${letter} />` : null}
  </li>`;
};

/** @type {Readonly<Record<Redriven['outcome'], string>>} */
const OUTCOMES = {
  applied: 'applied',
  duplicate: 'ignored, because it was applied before',
  conflict: 'ignored, because another event has created this order',
  waiting: 'pending until its order comes',
  dead_letter: 'failed again, and is stored as a new dead letter',
};

/** @param {{ redriven: Redriven }} props */
const RedriveOutcome = ({ redriven: { at, partition, offset, outcome } }) =>
  html`<p>
    <span class="outcome ${outcome}">${outcome}</span>${' redriven '}<${Time} at=${at} />
    ${` to partition ${partition}, offset ${offset}: ${OUTCOMES[outcome]}`}
  </p>`;

const NOT_WHOLE =
  'The message was too large, or could not be decompressed. Only its first bytes are kept. Redrive it with another key and value.';

/** @param {{ letter: DeadLetter }} props */
const Opened = ({ letter }) => {
  const { id, key, value, headers, timestamp, storedAt, complete } = letter;
  return html`<div class="letter-body">
    <dl class="facts">
      <dt>Time of the message</dt>
      <dd><${Time} at=${timestamp} /></dd>
      <dt>Stored</dt>
      <dd><${Time} at=${storedAt} /></dd>
    </dl>
    ${complete ? null : html`<p class="note">${NOT_WHOLE}</p>`}
    <h3>Key</h3>
    <${BytesView} bytes=${key} name=${`dead-letter-${id}-key.bin`} />
    <h3>Headers</h3>
    <${Headers} headers=${headers} />
    <h3>Value</h3>
    <${BytesView} bytes=${value} name=${`dead-letter-${id}-value.bin`} />
    ${letter.redriven === null ? html`<${Edit} letter=${letter} />` : null}
  </div>`;
};

/** @param {{ headers: DeadLetter['headers'] }} props */
const Headers = ({ headers }) =>
  headers.length === 0
    ? html`<p class="muted">none</p>`
    : html`<dl class="facts">
        ${headers.map(
          ({ name, value }) =>
            html`<dt><${Foreign} text=${name} /></dt>
              <dd>${value === null ? 'null' : html`<${Foreign} text=${toText(value).slice(0, 2_000)} />`}</dd>`,
        )}
      </dl>`;

/** Publishes the letter again, as it is or with another key or value. @param {{ letter: DeadLetter }} props */
const Edit = ({ letter: { id, key, value, complete } }) => {
  const [isEditing, setIsEditing] = useState(false);
  const [newKey, setNewKey] = useState(/** @type {string | null} */ (null));
  const [newValue, setNewValue] = useState(/** @type {string | null} */ (null));
  const isRunning = lastRedrive.value?.isRunning ?? false;
  // What the user did not change is left out: the service publishes its bytes, which a text field may not be able to hold.
  const edited = { id, ...(newKey === null ? {} : { key: newKey }), ...(newValue === null ? {} : { value: newValue }) };
  if (!isEditing) {
    return html`<p class="row">
      <button
        type="button"
        class="primary"
        disabled=${isRunning || !complete}
        onClick=${() => redriveLetters([{ id }])}
      >
        Redrive as it is
      </button>
      <button type="button" onClick=${() => setIsEditing(true)}>Edit</button>
    </p>`;
  }
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    void redriveLetters([edited]);
  };
  return html`<form class="edit" onSubmit=${submit}>
    <label>
      <span>Key</span>
      <input
        value=${newKey ?? textOf(key)}
        onInput=${(/** @type {any} */ event) => setNewKey(event.currentTarget.value)}
      />
    </label>
    <label>
      <span>Value</span>
      <textarea
        rows="10"
        spellcheck="false"
        onInput=${(/** @type {any} */ event) => setNewValue(event.currentTarget.value)}
        value=${newValue ?? textOf(value)}
      ></textarea>
    </label>
    ${isText(value) ? null : html`<p class="note">The value is not UTF-8. Your text replaces the whole value.</p>`}
    ${
      hidesSomething(newValue ?? textOf(value))
        ? html`<p class="note">The value has invisible characters. The text above shows their names.</p>`
        : null
    }
    <p class="row">
      <button type="submit" class="primary" disabled=${isRunning}>
        Redrive ${newKey === null && newValue === null ? 'as it is' : 'edited'}
      </button>
      <button type="button" onClick=${() => (setIsEditing(false), setNewKey(null), setNewValue(null))}>Cancel</button>
    </p>
  </form>`;
};

/** @param {Bytes} bytes */
const isText = (bytes) => bytes === null || 'text' in bytes;

/** @param {Bytes} bytes */
const textOf = (bytes) => (bytes !== null && 'text' in bytes ? bytes.text : '');
