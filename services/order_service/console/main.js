import { html } from 'htm/preact';
import { render } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { cartHealth, followCart } from './cart.js';
import { diagnose, troubles } from './faults.js';
import { count } from './format.js';
import { flow, followStream, streamLink, totals } from './live.js';
import { Mark } from './parts/basics.js';
import { followHash, hashOf, route } from './router.js';
import { AttentionView } from './views/attention.js';
import { CommandsView } from './views/commands.js';
import { FlowView } from './views/flow.js';
import { HealthView } from './views/health.js';
import { OrdersView } from './views/orders.js';

const VIEWS = {
  flow: { title: 'Flow', view: FlowView },
  orders: { title: 'Orders', view: OrdersView },
  commands: { title: 'Commands', view: CommandsView },
  attention: { title: 'Needs attention', view: AttentionView },
  health: { title: 'Health', view: HealthView },
};

/** The number of pending statuses and dead letters. */
const attentionCount = () => {
  const counts = flow.value?.counts;
  return (counts?.pending ?? 0) + (counts?.deadLetters ?? 0);
};

/** The state of the whole system in one line, on every view. */
const Verdict = () => {
  const found = troubles(
    diagnose({ link: streamLink.value, flow: flow.value, cart: cartHealth.value, totals: totals.value }),
  );
  const [worst] = found;
  const isKnown = flow.value !== null && cartHealth.value.kind !== 'unknown';
  const level = worst?.condition.level ?? (isKnown ? 'ok' : 'unknown');
  const more = found.length > 1 ? ` (and ${found.length - 1} more)` : '';
  const open = attentionCount();
  const well = open > 0 ? `All well, ${count(open)} to look at` : 'All well';
  const text = worst === undefined ? (isKnown ? well : 'Connecting') : `${worst.place}: ${worst.condition.text}${more}`;
  return html`<a class="verdict ${level}" href=${hashOf('flow')}>
    <${Mark} level=${level} /><span role="status" aria-live="polite">${text}</span>
  </a>`;
};

const Navigation = () => {
  const open = attentionCount();
  return html`<nav aria-label="Views">
    ${Object.entries(VIEWS).map(
      ([name, { title }]) =>
        html`<a href=${hashOf(name)} aria-current=${route.value.view === name ? 'page' : undefined}>
          ${title}${name === 'attention' && open > 0 ? html` <span class="badge">${count(open)}</span>` : null}
        </a>`,
    )}
  </nav>`;
};

const Shown = () => {
  const [fault, tryAgain] = useErrorBoundary();
  if (fault !== undefined) {
    return html`<div class="problem" role="alert">
      <p><${Mark} level="bad" /><strong>This page has an error.</strong></p>
      <p class="any">${String(fault)}</p>
      <p><button type="button" onClick=${tryAgain}>Try again</button></p>
    </div>`;
  }
  const known = VIEWS[/** @type {keyof typeof VIEWS} */ (route.value.view)];
  if (known === undefined) {
    return html`<h1>No such page</h1>
      <p>There is no view <code class="any">${route.value.view}</code>. <a href=${hashOf('flow')}>Go to Flow</a></p>`;
  }
  document.title = `${known.title} · order-events`;
  return html`<${known.view} />`;
};

const Page = () =>
  html`<a class="skip" href="#main" onClick=${skip}>Skip to the content</a>
    <header>
      <span class="brand">order-events</span>
      <${Navigation} />
      <${Verdict} />
    </header>
    <main id="main" tabindex="-1"><${Shown} key=${route.value.view} /></main>`;

/** The hash names the view, so this cannot be a usual link. @param {Event} event */
const skip = (event) => {
  event.preventDefault();
  document.getElementById('main')?.focus();
};

followHash();
followStream();
void followCart();
const place = /** @type {HTMLElement} */ (document.getElementById('page'));
place.replaceChildren();
render(html`<${Page} />`, place);
