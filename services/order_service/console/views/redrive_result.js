import { html } from 'htm/preact';
import { count } from '../format.js';
import { Ago, Foreign, Mark, Problem } from '../parts/basics.js';
import { CallView } from '../parts/call_view.js';
import { lastRedrive, stopRedrive } from '../redrive.js';

/** @import { RedriveResult as Result } from '../types.d.ts' */

/** The result of the last redrive. */
export const RedriveResult = () => {
  const state = lastRedrive.value;
  if (state === null) return html`<div role="status"></div>`;
  const { call, startedAt, isRunning, isStopping, stopped, published, failed, skipped, failure } = state;
  const level = isRunning
    ? 'unknown'
    : failed.length > 0 || failure !== null
      ? 'bad'
      : skipped.length > 0
        ? 'warn'
        : 'ok';
  return html`<section class="panel" aria-label="The last redrive">
    <p class="condition" role="status">
      <${Mark}
        level=${level}
      />${isRunning ? 'Redriving' : 'Redriven'}${`: ${count(published)} published, ${count(failed.length)} failed, ${count(skipped.length)} skipped`}
    </p>
    <p class="muted">
      <${Ago} at=${startedAt} />. "Redriven dead letters" shows whether a published letter could be applied now.
    </p>
    ${
      isRunning
        ? html`<p class="row">
            <button type="button" disabled=${isStopping} onClick=${stopRedrive}>
              ${isStopping ? 'Stopping' : 'Stop'}
            </button>
          </p>`
        : null
    }
    ${stopped === null ? null : html`<p>It ended before the last letter: <${Foreign} text=${stopped} /></p>`}
    ${isStopping && !isRunning ? html`<p>It was stopped.</p>` : null}
    <${Problem} failure=${failure} />
    <${Results} results=${[...failed, ...skipped]} />
    <details>
      <summary>The request</summary>
      <${CallView} call=${call} />
    </details>
  </section>`;
};

/** @param {{ results: readonly Result[] }} props */
const Results = ({ results }) =>
  results.length === 0
    ? null
    : html`<ul>
        ${results.map(
          ({ id, outcome, detail }) =>
            html`<li>
              Dead letter ${id}: <b>${outcome}</b>${detail ? html` – <${Foreign} text=${detail} />` : null}
            </li>`,
        )}
      </ul>`;
