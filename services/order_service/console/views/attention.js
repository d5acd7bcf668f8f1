import { html } from 'htm/preact';
import { useEffect } from 'preact/hooks';
import { age, count } from '../format.js';
import { useFetched, useThrottled } from '../hooks.js';
import { flow, onEvents } from '../live.js';
import { Problem, Status } from '../parts/basics.js';
import { hashOf, route } from '../router.js';
import { DeadLetters } from './dead_letters.js';

/** @import { Fetched, PendingStatus, PendingStatuses } from '../types.d.ts' */

const REFRESH_MS = 1_000;
const SHOWN = 200;

/** Statuses without their order, and messages that could not be applied. */
export const AttentionView = () => {
  const part = route.value.id ?? 'pending';
  const counts = flow.value?.counts;
  const tabs = [
    { name: 'pending', title: 'Pending statuses', n: counts?.pending },
    { name: 'dead-letters', title: 'Dead letters', n: counts?.deadLetters },
    { name: 'redriven', title: 'Redriven dead letters', n: undefined },
  ];
  return html`<h1>Needs attention</h1>
    <nav class="tabs" aria-label="What needs attention">
      ${tabs.map(
        ({ name, title, n }) =>
          html`<a href=${hashOf('attention', name)} aria-current=${part === name ? 'page' : undefined}>
            ${title}${n === undefined ? null : html` <span class="badge ${n === 0 ? 'none' : ''}">${count(n)}</span>`}
          </a>`,
      )}
    </nav>
    ${part === 'pending' ? html`<${Pending} />` : html`<${DeadLetters} key=${part} isRedriven=${part === 'redriven'} />`}`;
};

const Pending = () => {
  /** @type {Fetched<PendingStatuses>} */
  const { body, failure, reload } = useFetched(`/pending-statuses?limit=${SHOWN}`);
  const refresh = useThrottled(reload, REFRESH_MS);
  useEffect(() => onEvents(refresh), [refresh]);
  return html`<${Problem} failure=${failure} onRetry=${reload} /> ${
      body === null
        ? null
        : body.pendingStatuses.length === 0
          ? html`<p class="nothing">No status is pending: every order came before its statuses.</p>`
          : html`<p class="muted">
                These statuses came before their order. Each is applied when its order comes. If one stays for long, its
                order never reached the topic.
              </p>
              <${PendingTable} statuses=${body.pendingStatuses} />`
    }`;
};

/** @param {{ statuses: PendingStatus[] }} props */
const PendingTable = ({ statuses }) =>
  html`<table class="list">
    <caption class="unseen">
      Pending statuses, oldest first
    </caption>
    <thead>
      <tr>
        <th scope="col">Order</th>
        <th scope="col">Status</th>
        <th scope="col" class="number">Version</th>
        <th scope="col" class="number">Age</th>
      </tr>
    </thead>
    <tbody>
      ${statuses.map(
        ({ orderId, status, version, ageMs }) =>
          html`<tr key=${orderId}>
            <th scope="row" class="any"><a href=${hashOf('orders', orderId)}>${orderId}</a></th>
            <td><${Status} status=${status} /></td>
            <td class="number">${version || '–'}</td>
            <td class="number">${age(ageMs)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`;
