import { signal } from '@preact/signals';
import { html } from 'htm/preact';
import { useState } from 'preact/hooks';
import { asFailure, jsonCall, parsed, send } from '../api.js';
import { bulk, startBulk, stopBulk } from '../bulk.js';
import { cartUrl } from '../cart.js';
import { age, count, millis, rate } from '../format.js';
import { now } from '../hooks.js';
import { Mark, Problem } from '../parts/basics.js';
import { CallView } from '../parts/call_view.js';
import { hashOf, route } from '../router.js';
import { STATUSES } from '../statuses.js';

/** @import { Answer, Call, Failure } from '../types.d.ts' */

/** The last call and its answer. They stay while another view is shown. @type {import('@preact/signals-core').Signal<{ call: Call, orderId: string | null, answer: Answer | null, failure: Failure | null } | null>} */
const lastCall = signal(null);

export const CommandsView = () => {
  const cart = cartUrl.value;
  if (cart === null)
    return html`<h1>Commands</h1>
      <p class="muted">The URL of the Cart Service is not known yet.</p>`;
  return html`<h1>Commands</h1>
    <div class="commands">
      <div class="forms"><${CreateForm} cart=${cart} /><${UpdateForm} cart=${cart} /><${BulkForm} cart=${cart} /></div>
      <${LastCall} />
    </div>`;
};

/** @param {Call} call @param {string | null} orderId */
const execute = async (call, orderId) => {
  lastCall.value = { call, orderId, answer: null, failure: null };
  try {
    lastCall.value = { call, orderId, answer: await send(call), failure: null };
  } catch (error) {
    lastCall.value = { call, orderId, answer: null, failure: asFailure(error) };
  }
};

/** @param {string} id */
const canonical = (id) => (/^\d+$/.test(id) ? `ORD-${id}` : id);

/** @param {string} name @param {(value: string) => void} set */
const input = (name, set) => ({ name, onInput: (/** @type {any} */ event) => set(event.currentTarget.value) });

/** @param {{ cart: string }} props */
const CreateForm = ({ cart }) => {
  const [id, setId] = useState(() => String(Date.now()));
  const [items, setItems] = useState('3');
  const [key, setKey] = useState('');
  /** A number is sent as a number. Other text is sent as it is, and the service says what is wrong with it. */
  const numberOfItems = /^\d{1,9}$/.test(items) ? Number(items) : items;
  const call = jsonCall('POST', `${cart}/create-order`, { order_id: id, number_of_items: numberOfItems });
  if (key !== '') call.headers['idempotency-key'] = key;
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    void execute(call, canonical(id));
  };
  return html`<form class="panel" onSubmit=${submit} aria-labelledby="create">
    <h2 id="create">Create an order</h2>
    <div class="row">
      <label class="grow"><span>Order id</span><input required value=${id} ...${input('order_id', setId)} /></label>
      <label class="short">
        <span>Number of items</span
        ><input required inputmode="numeric" value=${items} ...${input('number_of_items', setItems)} />
      </label>
    </div>
    <label><span>Idempotency-Key (optional)</span><input value=${key} ...${input('idempotency_key', setKey)} /></label>
    <p class="row">
      <button type="submit" class="primary">Create</button>
      <button type="button" onClick=${() => setId(String(Date.now()))}>New id</button>
    </p>
  </form>`;
};

/** @param {{ cart: string }} props */
const UpdateForm = ({ cart }) => {
  const [id, setId] = useState(route.value.query['order'] ?? '');
  const [status, setStatus] = useState('confirmed');
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    void execute(jsonCall('PUT', `${cart}/update-order`, { order_id: id, status }), canonical(id));
  };
  return html`<form class="panel" onSubmit=${submit} aria-labelledby="update">
    <h2 id="update">Change the status of an order</h2>
    <div class="row">
      <label class="grow"><span>Order id</span><input required value=${id} ...${input('order_id', setId)} /></label>
      <label>
        <span>Status</span>
        <select value=${status} onChange=${(/** @type {any} */ event) => setStatus(event.currentTarget.value)}>
          ${STATUSES.map((name) => html`<option value=${name}>${name}</option>`)}
        </select>
      </label>
    </div>
    <p class="row"><button type="submit" class="primary">Change</button></p>
  </form>`;
};

/** @param {{ cart: string }} props */
const BulkForm = ({ cart }) => {
  const [total, setTotal] = useState('1000');
  const [items, setItems] = useState('3');
  const state = bulk.value;
  const isRunning = state !== null && state.endedAt === null;
  /** @param {SubmitEvent} event */
  const submit = (event) => {
    event.preventDefault();
    startBulk(cart, Number(total), Number(items));
  };
  return html`<form class="panel" onSubmit=${submit} aria-labelledby="bulk">
    <h2 id="bulk">Create many orders</h2>
    <div class="row">
      <label class="short">
        <span>Orders</span
        ><input required type="number" min="1" max="100000" value=${total} ...${input('total', setTotal)} />
      </label>
      <label class="short">
        <span>Items each</span
        ><input required type="number" min="1" max="1000" value=${items} ...${input('items', setItems)} />
      </label>
    </div>
    <p class="row">
      ${
        isRunning
          ? html`<button type="button" onClick=${stopBulk} disabled=${state.isStopped}>Stop</button>`
          : html`<button type="submit" class="primary">Create orders</button>`
      }
    </p>
    ${state === null ? null : html`<${Progress} state=${state} />`}
  </form>`;
};

/** @param {{ state: import('../bulk.js').Bulk }} props */
const Progress = ({ state }) => {
  const ms = (state.endedAt ?? Math.max(now.value, state.startedAt)) - state.startedAt;
  const end = state.isStopped ? 'Stopped' : 'Done';
  return html`<progress max=${state.total} value=${state.done} aria-label="Orders answered"></progress>
    <p role="status">
      ${state.endedAt === null ? '' : `${end}: `}${`${count(state.done)} of ${count(state.total)} in ${age(ms)}`}${ms > 0 ? `, ${rate((state.done * 1_000) / ms)} a second` : ''}
    </p>
    <dl class="facts outcomes">
      ${Object.entries(state.outcomes).map(
        ([outcome, n]) =>
          html`<dt><${Mark} level=${outcome === 'created' ? 'ok' : 'bad'} />${outcome}</dt>
            <dd>${count(n)}</dd>`,
      )}
    </dl>
    ${state.lastReason === null ? null : html`<p class="reason any">Last failure: ${state.lastReason}</p>`}`;
};

const LastCall = () => {
  const last = lastCall.value;
  if (last === null) {
    return html`<section class="panel">
      <h2>Request and answer</h2>
      <p class="muted">Send a command to see its request and its answer here.</p>
    </section>`;
  }
  const { call, answer, failure, orderId } = last;
  return html`<section class="panel" aria-labelledby="last-call">
    <h2 id="last-call">Request and answer</h2>
    <${CallView} call=${call} />
    <h3>Answer</h3>
    <div aria-live="polite">
      <${Problem} failure=${failure} />
      ${answer === null ? (failure === null ? html`<p class="muted">Waiting for the answer</p>` : null) : html`<${AnswerView} answer=${answer} />`}
    </div>
    ${answer?.status === 200 && orderId !== null ? html`<p><a href=${hashOf('orders', orderId)}>Open ${orderId}</a></p>` : null}
  </section>`;
};

/** @param {{ answer: Answer }} props */
const AnswerView = ({ answer: { status, headers, text, ms } }) => {
  const body = parsed(text);
  return html`<p class="condition">
      <${Mark} level=${status < 300 ? 'ok' : 'bad'} />${status} <span class="muted">in ${millis(ms)}</span>
    </p>
    <pre class="code" tabindex="0" role="region" aria-label="Answer">
${headers.map(([name, value]) => `${name}: ${value}\n`).join('')}
${body === undefined ? text : JSON.stringify(body, null, 2)}</pre>`;
};
