import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { money } from '../format.js';
import { useFetched, useThrottled } from '../hooks.js';
import { onEvents } from '../live.js';
import { Foreign, Problem, Status, Time } from '../parts/basics.js';
import { go, hashOf, route } from '../router.js';
import { STATUSES } from '../statuses.js';
import { OrderPanel } from './order.js';

/** @import { Fetched, Orders } from '../types.d.ts' */

const PAGE = 50;
/** The shortest time between two reads of the page while orders come in. */
const REFRESH_MS = 1_000;
/** How many pages one can go back; before that, one starts from the newest again. */
const KEPT_CURSORS = 1_000;

/** The cursors of the newer pages that were shown. @type {string[]} */
let before = [];

export const OrdersView = () => {
  const { id, query } = route.value;
  return html`<div class=${id === null ? 'orders' : 'orders with-order'}>
    <div class="orders-list">
      <h1>Orders</h1>
      <${Search} query=${query} /><${List} query=${query} open=${id} />
    </div>
    ${id === null ? null : html`<${OrderPanel} key=${id} orderId=${id} back=${hashOf('orders', null, query)} />`}
  </div>`;
};

/** @param {{ query: Record<string, string> }} props */
const Search = ({ query }) => {
  const [text, setText] = useState(query['customer'] ?? '');
  useEffect(() => setText(query['customer'] ?? ''), [query['customer']]);
  /** @param {SubmitEvent} event */
  const search = (event) => {
    event.preventDefault();
    const wanted = text.trim();
    if (/^(ord-)?\d+$/i.test(wanted)) go(hashOf('orders', `ORD-${wanted.replace(/^ord-/i, '')}`, { ...query }));
    else startAgain({ ...query, customer: wanted });
  };
  return html`<form class="row toolbar" role="search" onSubmit=${search}>
    <label class="grow">
      <span>Order id or customer id</span>
      <input
        type="search"
        maxlength="200"
        placeholder="ORD-123 or CUST-00042"
        value=${text}
        onInput=${(/** @type {any} */ event) => setText(event.currentTarget.value)}
      />
    </label>
    <button type="submit">Search</button>
    <label>
      <span>Status</span>
      <select
        value=${query['status'] ?? ''}
        onChange=${(/** @type {any} */ event) => startAgain({ ...query, status: event.currentTarget.value })}
      >
        <option value="">all</option>
        ${STATUSES.map((status) => html`<option value=${status}>${status}</option>`)}
      </select>
    </label>
  </form>`;
};

/** @param {Record<string, string>} query */
const startAgain = (query) => {
  before = [];
  go(hashOf('orders', null, { status: query['status'], customer: query['customer'] }));
};

/** @param {{ query: Record<string, string>, open: string | null }} props */
const List = ({ query, open }) => {
  const { status, customer, after } = query;
  const [isLive, setIsLive] = useState(true);
  const asked = new URLSearchParams({ limit: String(PAGE) });
  if (status) asked.set('status', status);
  if (customer) asked.set('customerId', customer);
  if (after) asked.set('after', after);
  /** @type {Fetched<Orders>} */
  const { body, last, failure, loading, reload } = useFetched(`/orders?${asked}`);
  const refresh = useThrottled(reload, REFRESH_MS);
  const shown = failure === null || body !== null ? last : null;

  useEffect(() => {
    if (!isLive) return undefined;
    const isFirst = after === undefined;
    const ids = new Set(shown?.orders.map(({ orderId }) => orderId));
    return onEvents((events) => {
      if (events.some((event) => event.outcome === 'applied' && (isFirst || ids.has(event.orderId)))) refresh();
    });
  }, [isLive, after, shown, refresh]);

  /** @param {string} cursor */
  const older = (cursor) => {
    before = [...before, after ?? ''].slice(-KEPT_CURSORS);
    go(hashOf('orders', open, { ...query, after: cursor }));
  };
  const newer = () => {
    const cursor = before.at(-1) ?? '';
    before = before.slice(0, -1);
    go(hashOf('orders', open, { ...query, after: cursor }));
  };
  return html`<${Problem} failure=${failure} onRetry=${reload} />
    <div class="row toolbar">
      <button type="button" disabled=${after === undefined} onClick=${() => startAgain(query)}>Newest</button>
      <button type="button" disabled=${after === undefined} onClick=${newer}>Newer</button>
      <button type="button" disabled=${!shown?.next} onClick=${() => shown?.next && older(shown.next)}>Older</button>
      <label class="check">
        <input type="checkbox" checked=${isLive} onChange=${() => setIsLive(!isLive)} /> Live
      </label>
      <span class="muted" role="status">${messageOf(shown, loading)}</span>
    </div>
    ${shown === null ? null : html`<${Table} orders=${shown.orders} query=${query} open=${open} />`}`;
};

/**
 * @param {Orders | null} page
 * @param {boolean} loading
 */
const messageOf = (page, loading) => {
  if (page === null) return loading ? 'Loading' : '';
  if (page.orders.length > 0) return '';
  return page.next === null ? 'No order matches' : 'No match so far: press Older to search on';
};

/** @param {{ orders: Orders['orders'], query: Record<string, string>, open: string | null }} props */
const Table = ({ orders, query, open }) =>
  html`<table class="list" onKeyDown=${moveByArrow}>
    <caption class="unseen">
      Orders, newest first
    </caption>
    <thead>
      <tr>
        <th scope="col">Order</th>
        <th scope="col" class="wide">Customer</th>
        <th scope="col">Date</th>
        <th scope="col" class="number wide">Items</th>
        <th scope="col" class="number">Total</th>
        <th scope="col">Status</th>
      </tr>
    </thead>
    <tbody>
      ${orders.map(
        (order) =>
          html`<tr key=${order.orderId} class=${order.orderId === open ? 'open' : ''}>
            <th scope="row" class="any">
              <a
                href=${hashOf('orders', order.orderId, query)}
                aria-current=${order.orderId === open ? 'true' : undefined}
                >${order.orderId}</a
              >
            </th>
            <td class="wide"><${Foreign} text=${order.customerId} /></td>
            <td class="date"><${Time} at=${order.orderDate} /></td>
            <td class="number wide">${order.numberOfItems}</td>
            <td class="number">${money(order.totalAmount, order.currency)}</td>
            <td><${Status} status=${order.status} /></td>
          </tr>`,
      )}
    </tbody>
  </table>`;

/** The arrow keys move between the orders. @param {KeyboardEvent} event */
const moveByArrow = (event) => {
  if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
  const row = document.activeElement?.closest('tr');
  const next = event.key === 'ArrowDown' ? row?.nextElementSibling : row?.previousElementSibling;
  const link = next?.querySelector('a');
  if (!link) return;
  event.preventDefault();
  link.focus();
};
