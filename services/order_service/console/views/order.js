import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { count, money, timesPrice } from '../format.js';
import { useFetched, useThrottled } from '../hooks.js';
import { onEvents } from '../live.js';
import { Foreign, Problem, Status, Time } from '../parts/basics.js';
import { hashOf } from '../router.js';

/** @import { Fetched, OrderDetails, OrderEvent, OrderHistory } from '../types.d.ts' */

const REFRESH_MS = 500;
const FIRST_ITEMS = 20;
const FIRST_EVENTS = 50;
const MOST_EVENTS = 1_000;

/** What is unusual about the amounts of an order. @type {Readonly<Record<string, string>>} */
const REMARKS = {
  more_decimals_than_currency:
    'The amounts have more decimals than the currency. They are shown as their producer wrote them.',
  total_differs_from_items: 'The total differs from the sum of the items. Both are shown as their producer wrote them.',
};

/** One order as it is now, and its events. @param {{ orderId: string, back: string }} props */
export const OrderPanel = ({ orderId, back }) => {
  const path = `/orders/${encodeURIComponent(orderId)}`;
  const [limit, setLimit] = useState(FIRST_EVENTS);
  /** @type {Fetched<OrderDetails>} */
  const details = useFetched(path);
  /** @type {Fetched<OrderHistory>} */
  const history = useFetched(`${path}/events?limit=${limit}`);
  const refresh = useThrottled(() => {
    details.reload();
    history.reload();
  }, REFRESH_MS);
  useEffect(
    () => onEvents((events) => void (events.some((event) => event.orderId === orderId) && refresh())),
    [orderId, refresh],
  );

  // A status that came before its order has a history, but no order.
  const isPending = details.failure?.code === 'OrderNotFound' && (history.last?.events.length ?? 0) > 0;
  return html`<article class="panel order" aria-label=${`Order ${orderId}`}>
    <p class="row">
      <a href=${back}>Close</a>
      <a href=${hashOf('commands', null, { order: orderId })}>Change its status</a>
    </p>
    <h2 class="any">${orderId}</h2>
    ${
      isPending
        ? html`<p class="note">The order itself has not come yet. Its statuses are pending.</p>`
        : html`<${Problem} failure=${details.failure} onRetry=${details.reload} />`
    }
    ${details.body === null ? null : html`<${Details} details=${details.body} />`}
    <h3>Events</h3>
    ${isSame(details.failure, history.failure) ? null : html`<${Problem} failure=${history.failure} onRetry=${history.reload} />`}
    ${history.last === null ? null : html`<${Timeline} events=${history.last.events} />`}
    ${
      history.last?.next && limit < MOST_EVENTS
        ? html`<button type="button" onClick=${() => setLimit(MOST_EVENTS)}>
            Show up to ${count(MOST_EVENTS)} events
          </button>`
        : null
    }
  </article>`;
};

/**
 * @param {{ code: string } | null} one
 * @param {{ code: string } | null} other
 */
const isSame = (one, other) => one !== null && other !== null && one.code === other.code;

/** @param {{ details: OrderDetails }} props */
const Details = ({ details: { order, shippingCost, remarks = [], version } }) => {
  const [isWhole, setIsWhole] = useState(false);
  const { items, currency } = order;
  const shown = isWhole ? items : items.slice(0, FIRST_ITEMS);
  return html`<p class="row" aria-live="polite">
      <${Status} status=${order.status} /><span class="muted">version ${version}</span>
    </p>
    <dl class="facts">
      <dt>Customer</dt>
      <dd>
        <a href=${hashOf('orders', null, { customer: order.customerId })}><${Foreign} text=${order.customerId} /></a>
      </dd>
      <dt>Date</dt>
      <dd><${Time} at=${order.orderDate} /></dd>
    </dl>
    ${remarks.map((remark) => html`<p key=${remark} class="note">${REMARKS[remark] ?? remark}</p>`)}
    <table class="items">
      <caption class="unseen">
        Items
      </caption>
      <thead>
        <tr>
          <th scope="col">Item</th>
          <th scope="col" class="number">Quantity</th>
          <th scope="col" class="number">Price</th>
          <th scope="col" class="number">Sum</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          ({ itemId, quantity, price }) =>
            html`<tr>
              <td><${Foreign} text=${itemId} /></td>
              <td class="number">${count(quantity)}</td>
              <td class="number">${money(price, currency)}</td>
              <td class="number">${money(timesPrice(price, quantity), currency)}</td>
            </tr>`,
        )}
      </tbody>
      <tfoot>
        ${
          items.length > shown.length
            ? html`<tr>
                <td colspan="4">
                  <button type="button" onClick=${() => setIsWhole(true)}>Show all ${count(items.length)} items</button>
                </td>
              </tr>`
            : null
        }
        <tr>
          <th scope="row" colspan="3">Total</th>
          <td class="number"><b>${money(order.totalAmount, currency)}</b></td>
        </tr>
        <tr>
          <th scope="row" colspan="3">Shipping</th>
          <td class="number">${money(shippingCost, currency)}</td>
        </tr>
      </tfoot>
    </table>`;
};

/** @type {Readonly<Record<OrderEvent['outcome'], string>>} */
const OUTCOMES = {
  applied: '',
  duplicate: 'ignored, because it was applied before',
  late: 'ignored, because a newer event was applied before',
  conflict: 'ignored, because another event has created this order',
  waiting: 'pending until its order comes',
};

/** @param {{ events: readonly OrderEvent[] }} props */
const Timeline = ({ events }) =>
  html`<ol class="timeline" reversed>
    ${events.map(
      (event) =>
        html`<li key=${event.sequence} class=${event.outcome}>
          <p class="row">
            <b>${event.type === 'ORDER_CREATED' ? 'created' : event.status}</b>
            <span class="muted">${event.version === null ? 'no version' : `version ${event.version}`}</span>
            ${
              event.outcome === 'applied'
                ? null
                : html`<span class="outcome ${event.outcome}" title=${OUTCOMES[event.outcome]}>${event.outcome}</span>`
            }
          </p>
          <p class="muted"><${Time} at=${event.timestamp} /> · partition ${event.partition}, offset ${event.offset}</p>
        </li>`,
    )}
  </ol>`;
