import { html } from 'htm/preact';
import { age, time } from '../format.js';
import { now } from '../hooks.js';
import { visibleText } from '../visible_text.js';

/** @import { Failure, Level } from '../types.d.ts' */

const MARKS = { ok: '●', warn: '▲', bad: '✕', unknown: '○' };

/** Each level has its own shape, so that nobody depends on colours. @param {{ level: Level }} props */
export const Mark = ({ level }) => html`<span class="mark ${level}" aria-hidden="true">${MARKS[level]}</span>`;

/** @param {{ status: string }} props */
export const Status = ({ status }) => html`<span class="status" data-status=${status}>${status}</span>`;

/** Why a call failed. @param {{ failure: Failure | null, onRetry?: () => void }} props */
export const Problem = ({ failure, onRetry }) => {
  if (failure === null) return null;
  const { status, title, detail, code, outcome, errors, call } = failure;
  return html`<div class="problem" role="alert">
    <p>
      <${Mark} level="bad" /><strong>${title}</strong>
      <code>${status === null ? code : `${status} ${code}`}</code>
      ${outcome === undefined ? null : html`<code>outcome: ${outcome}</code>`}
    </p>
    <p class="any">${visibleText(detail)}</p>
    ${
      errors === undefined
        ? null
        : html`<ul>
            ${errors.map((error) => html`<li><code>${error.field}</code> ${error.message}</li>`)}
          </ul>`
    }
    <p class="muted any">
      ${call}${onRetry === undefined ? null : html` <button type="button" onClick=${onRetry}>Try again</button>`}
    </p>
  </div>`;
};

/** @param {{ at: string | number | null }} props */
export const Time = ({ at }) =>
  at === null ? '–' : html`<time title=${typeof at === 'number' ? new Date(at).toISOString() : at}>${time(at)}</time>`;

/** @param {{ at: string | number }} props */
export const Ago = ({ at }) => html`<span>${age(now.value - new Date(at).getTime())} ago</span>`;

/** Text that any producer may have written. @param {{ text: string }} props */
export const Foreign = ({ text }) => html`<bdi class="any">${visibleText(text)}</bdi>`;
