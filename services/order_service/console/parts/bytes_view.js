import { html } from 'htm/preact';
import { useMemo, useState } from 'preact/hooks';
import { hexDump, toBytes, toText } from '../bytes.js';
import { size } from '../format.js';
import { visibleParts, visibleText } from '../visible_text.js';

/** @import { Bytes } from '../types.d.ts' */

const FIRST_CHARACTERS = 4_096;
/** The browser lays out each chunk only when it is seen. A line of a megabyte would take seconds. */
const CHUNK_CHARACTERS = 16_384;
const HEX_PAGE = 2_048;

/**
 * Bytes that any producer may have written, as text or hex. Shows the beginning of a long text until the user wants all.
 * @param {{ bytes: Bytes, name: string }} props `name` of the file for the download
 */
export const BytesView = ({ bytes, name }) => {
  const [asHex, setAsHex] = useState(bytes !== null && 'base64' in bytes);
  const raw = useMemo(() => toBytes(bytes), [bytes]);
  if (bytes === null) return html`<p class="muted">null</p>`;
  return html`<div class="bytes">
    <p class="row">
      <span class="muted">${size(raw.length)}${'base64' in bytes ? ', not UTF-8' : ''}</span>
      <button type="button" aria-pressed=${!asHex} onClick=${() => setAsHex(false)}>Text</button>
      <button type="button" aria-pressed=${asHex} onClick=${() => setAsHex(true)}>Hex</button>
      <button type="button" onClick=${() => save(raw, name)}>Download</button>
    </p>
    ${asHex ? html`<${Hex} raw=${raw} />` : html`<${Text} text=${toText(bytes)} />`}
  </div>`;
};

/** @param {{ text: string }} props */
const Text = ({ text }) => {
  const [isWhole, setIsWhole] = useState(false);
  const first = text.slice(0, wholeCharacters(text, FIRST_CHARACTERS));
  if (text === '') return html`<p class="muted">empty</p>`;
  const rest = text.length - first.length;
  return html`<div class="bytes-text" tabindex="0" role="region" aria-label="Content as text" dir="ltr">
      ${
        isWhole
          ? chunks(text).map((chunk) => html`<span class="chunk">${visibleText(chunk)}</span>`)
          : visibleParts(first).map((part) =>
              part.kind === 'text' ? part.text : html`<span class="hidden-character">${part.text}</span>`,
            )
      }
    </div>
    ${
      rest > 0
        ? html`<p class="row">
            <span class="muted">${isWhole ? 'The whole text' : `The first ${size(FIRST_CHARACTERS)}`}</span>
            <button type="button" onClick=${() => setIsWhole(!isWhole)}>
              ${isWhole ? 'Show the beginning' : 'Show all'}
            </button>
          </p>`
        : null
    }`;
};

/** @param {string} text */
const chunks = (text) => {
  const found = [];
  for (let from = 0; from < text.length;) {
    const to = wholeCharacters(text, from + CHUNK_CHARACTERS);
    found.push(text.slice(from, to));
    from = to;
  }
  return found;
};

/** The place at or after `at` that does not cut a character in two. @param {string} text @param {number} at */
const wholeCharacters = (text, at) => (/[\udc00-\udfff]/.test(text[at] ?? '') ? at + 1 : at);

/** @param {{ raw: Uint8Array }} props */
const Hex = ({ raw }) => {
  const [from, setFrom] = useState(0);
  return html`<pre class="hex" tabindex="0" role="region" aria-label="Content as hex">
${hexDump(raw, from, from + HEX_PAGE)}</pre>
    ${
      raw.length > HEX_PAGE
        ? html`<p class="row">
            <button type="button" disabled=${from === 0} onClick=${() => setFrom(from - HEX_PAGE)}>Before</button>
            <button type="button" disabled=${from + HEX_PAGE >= raw.length} onClick=${() => setFrom(from + HEX_PAGE)}>
              After
            </button>
            <span class="muted">from byte ${from} of ${raw.length}</span>
          </p>`
        : null
    }`;
};

/**
 * @param {Uint8Array<ArrayBuffer>} raw
 * @param {string} name
 */
const save = (raw, name) => {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([raw], { type: 'application/octet-stream' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};
