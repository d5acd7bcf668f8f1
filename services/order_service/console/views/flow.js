import { html } from 'htm/preact';
import { cartHealth, cartUrl } from '../cart.js';
import { diagnose, growth } from '../faults.js';
import { age, clock, count, millis, rate } from '../format.js';
import { now } from '../hooks.js';
import { flow, latestEvents, samples, streamLink, totals } from '../live.js';
import { Foreign, Mark } from '../parts/basics.js';
import { Chart } from '../parts/chart.js';
import { hashOf } from '../router.js';

/** @import { Condition, Flow } from '../types.d.ts' */

const SPAN_S = 300;
const SHOWN_EVENTS = 12;

/** The way of the events from the Cart Service to the view, with the faults on it. */
export const FlowView = () => {
  const conditions = diagnose({
    link: streamLink.value,
    flow: flow.value,
    cart: cartHealth.value,
    totals: totals.value,
  });
  const applied = meanOf(samples.value.slice(-5).map((sample) => sample.applied));
  return html`<h1>Flow</h1>
    <div class="pipe">
      <${CartNode} condition=${conditions.cart} />
      <${Link} condition=${conditions.publish} perSecond=${growth(totals.value)} name="Cart Service to topic" />
      <${TopicNode} condition=${conditions.topic} state=${flow.value} />
      <${Link} condition=${conditions.consume} perSecond=${applied} name="Topic to view" />
      <${ViewNode} condition=${conditions.view} state=${flow.value} />
    </div>
    <${Charts} />
    <${LatestEvents} />`;
};

/** @param {readonly number[]} values */
const meanOf = (values) => (values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length);

/** @param {{ title: string, condition: Condition, name: string, children: unknown }} props */
const Node = ({ title, condition, name, children }) =>
  html`<section class="node ${condition.level}" aria-label=${title} data-place=${name}>
    <h2>${title}</h2>
    <p class="condition"><${Mark} level=${condition.level} />${condition.text}</p>
    ${condition.detail === null ? null : html`<p class="reason"><${Foreign} text=${condition.detail} /></p>`}
    ${children}
  </section>`;

/** @param {{ condition: Condition, perSecond: number | null, name: string }} props */
const Link = ({ condition, perSecond, name }) =>
  html`<section
    class="link ${condition.level}"
    aria-label=${name}
    data-place=${name === 'Topic to view' ? 'consume' : 'publish'}
  >
    <p class="rate"><b>${rate(perSecond)}</b> /s</p>
    <div class="arrow" aria-hidden="true"></div>
    <p class="condition"><${Mark} level=${condition.level} />${condition.text}</p>
    ${condition.detail === null ? null : html`<p class="reason"><${Foreign} text=${condition.detail} /></p>`}
  </section>`;

/** @param {{ condition: Condition }} props */
const CartNode = ({ condition }) => {
  const health = cartHealth.value;
  const isKnown = health.kind === 'answers';
  return html`<${Node} title="Cart Service" name="cart" condition=${condition}>
    <p class="muted any">${cartUrl.value ?? ''}</p>
    <dl class="facts">
      <dt>Requests in progress</dt>
      <dd>${isKnown ? count(health.waiting) : '–'}</dd>
      <dt>Unacknowledged events</dt>
      <dd>${isKnown ? count(health.unsettled) : '–'}</dd>
      <dt>Last acknowledgement</dt>
      <dd>
        ${isKnown && health.lastAcknowledgedAt !== null ? `${age(now.value - health.lastAcknowledgedAt)} ago` : '–'}
      </dd>
    </dl>
  <//>`;
};

/** @param {{ condition: Condition, state: Flow | null }} props */
const TopicNode = ({ condition, state }) => {
  const partitions = state?.partitions ?? [];
  const worst = Math.max(1, ...partitions.map(({ lag }) => lag ?? 0));
  return html`<${Node} title=${state === null ? 'Topic' : `Topic ${state.topic}`} name="topic" condition=${condition}>
    <div class="scroll partitions" tabindex="0" role="region" aria-label="Partitions">
      <table>
        <thead>
          <tr>
            <th scope="col">Partition</th>
            <th scope="col" class="number">End</th>
            <th scope="col" class="number">Position</th>
            <th scope="col" class="number">Lag</th>
          </tr>
        </thead>
        <tbody>
          ${partitions.map(
            ({ partition, end, position, lag }) =>
              html`<tr key=${partition}>
                <th scope="row">${partition}</th>
                <td class="number">${count(end)}</td>
                <td class="number">${count(position)}</td>
                <td class="number lag">
                  ${lag ? html`<meter min="0" max=${worst} value=${lag} aria-hidden="true"></meter>` : null}${count(lag)}
                </td>
              </tr>`,
          )}
          ${
            partitions.length === 0
              ? html`<tr>
                  <td colspan="4" class="muted">The partitions are not known</td>
                </tr>`
              : null
          }
        </tbody>
      </table>
    </div>
  <//>`;
};

/** @param {{ condition: Condition, state: Flow | null }} props */
const ViewNode = ({ condition, state }) => {
  const newest = samples.value.findLast(({ p50Ms }) => p50Ms !== null);
  return html`<${Node} title="View" name="view" condition=${condition}>
    <dl class="facts">
      <dt><a href=${hashOf('orders')}>Orders</a></dt>
      <dd>${count(state?.counts.orders)}</dd>
      <dt><a href=${hashOf('attention')}>Pending statuses</a></dt>
      <dd>${count(state?.counts.pending)}</dd>
      <dt><a href=${hashOf('attention', 'dead-letters')}>Dead letters</a></dt>
      <dd>${count(state?.counts.deadLetters)}</dd>
      <dt>Readable after (median)</dt>
      <dd>${millis(newest?.p50Ms)}</dd>
      <dt>Readable after (99 %)</dt>
      <dd>${millis(newest?.p99Ms)}</dd>
      <dt>Consumer group</dt>
      <dd class="any">${state?.group ?? '–'}</dd>
    </dl>
  <//>`;
};

const Charts = () => {
  const all = samples.value;
  const times = all.map(({ at }) => Date.parse(at) / 1_000);
  const newest = all.at(-1);
  const lags = totals.value;
  return html`<section class="charts" aria-label="The last five minutes">
    <${Chart}
      title="Events a second"
      now=${newest === undefined ? '–' : count(newest.applied)}
      unit=""
      spanS=${SPAN_S}
      times=${times}
      series=${[
        { label: 'applied', colour: 'accent', values: all.map(({ applied }) => applied) },
        { label: 'duplicates', colour: 'warn', values: all.map(({ duplicates }) => duplicates) },
      ]}
    />
    <${Chart}
      title="Time until an event can be read"
      now=${newest?.p50Ms == null ? '–' : millis(newest.p50Ms)}
      unit="ms"
      spanS=${SPAN_S}
      times=${times}
      series=${[
        { label: 'p50', colour: 'accent', values: all.map(({ p50Ms }) => p50Ms) },
        { label: 'p99', colour: 'violet', values: all.map(({ p99Ms }) => p99Ms) },
      ]}
    />
    <${Chart}
      title="Lag, since you opened this page"
      now=${count(lags.at(-1)?.lag)}
      unit=""
      spanS=${SPAN_S}
      times=${lags.map(({ at }) => at / 1_000)}
      series=${[{ label: 'events behind', colour: 'accent', values: lags.map(({ lag }) => lag) }]}
    />
  </section>`;
};

const LatestEvents = () => {
  const events = latestEvents.value.slice(0, SHOWN_EVENTS);
  return html`<section class="panel">
    <h2>Latest events</h2>
    ${
      events.length === 0
        ? html`<p class="muted">No event has come since you opened this page.</p>`
        : html`<table class="latest">
            <thead>
              <tr>
                <th scope="col">Time</th>
                <th scope="col">Order</th>
                <th scope="col">Event</th>
                <th scope="col" class="number wide">Partition, offset</th>
                <th scope="col">Outcome</th>
              </tr>
            </thead>
            <tbody>
              ${events.map(
                (event) =>
                  html`<tr key=${event.sequence}>
                    <td>${event.timestamp === null ? '–' : clock(new Date(event.timestamp))}</td>
                    <td class="any"><a href=${hashOf('orders', event.orderId)}>${event.orderId}</a></td>
                    <td>${event.type === 'ORDER_CREATED' ? 'created' : event.status}</td>
                    <td class="number wide">${event.partition}, ${event.offset}</td>
                    <td><span class="outcome ${event.outcome}">${event.outcome}</span></td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
  </section>`;
};
