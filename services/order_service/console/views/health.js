import { html } from 'htm/preact';
import { useEffect, useState } from 'preact/hooks';
import { asFailure, parsed, send } from '../api.js';
import { cartUrl } from '../cart.js';
import { now, useFetched } from '../hooks.js';
import { Foreign, Mark, Problem, Time } from '../parts/basics.js';

/** @import { Check, Failure, Fetched, Settings } from '../types.d.ts' */

export const HealthView = () =>
  html`<h1>Health</h1>
    <div class="services">
      <${Service} title="Order Service" url="" />
      ${cartUrl.value === null ? null : html`<${Service} title="Cart Service" url=${cartUrl.value} />`}
    </div>`;

/** @param {{ title: string, url: string }} props */
const Service = ({ title, url }) => {
  const { readiness, failure } = useReadiness(`${url}/health/ready`);
  /** @type {Fetched<Settings>} */
  const settings = useFetched(`${url}/settings`);
  const isReady = readiness?.['ready'] === true;
  const level = failure !== null ? 'bad' : readiness === null ? 'unknown' : isReady ? 'ok' : 'bad';
  const text =
    failure !== null ? 'No answer' : readiness === null ? 'Waiting for an answer' : isReady ? 'Ready' : 'Not ready';
  const reason = typeof readiness?.['reason'] === 'string' ? readiness['reason'] : null;
  return html`<section class="panel" aria-label=${title}>
    <h2>${title}</h2>
    <p class="condition" role="status"><${Mark} level=${level} />${text}</p>
    ${reason === null ? null : html`<p class="reason"><${Foreign} text=${reason} /></p>`}
    <${Problem} failure=${failure} />
    ${readiness === null ? null : html`<${Checks} checks=${readiness['checks'] ?? []} /><${Readiness} details=${readiness} />`}
    <p class="row">
      <a href=${`${url}/documentation`}>API</a><a href=${`${url}/metrics`}>Metrics</a
      ><a href=${`${url}/health/ready`}>Readiness</a>
    </p>
    <h3>Versions</h3>
    <${Problem} failure=${settings.failure} onRetry=${settings.reload} />
    ${settings.body === null ? null : html`<${SettingsInForce} settings=${settings.body} />`}
  </section>`;
};

/**
 * Reads the readiness each second.
 * @param {string} url
 */
const useReadiness = (url) => {
  const [seen, setSeen] = useState(
    /** @type {{ readiness: Record<string, unknown> | null, failure: Failure | null }} */ ({
      readiness: null,
      failure: null,
    }),
  );
  const second = Math.floor(now.value / 1_000);
  useEffect(() => {
    const controller = new AbortController();
    const ask = async () => {
      try {
        // A 503 has the same body.
        const answer = await send({ method: 'GET', url, headers: {}, body: null }, controller.signal);
        setSeen({ readiness: parsed(answer.text) ?? {}, failure: null });
      } catch (error) {
        if (!controller.signal.aborted) setSeen({ readiness: null, failure: asFailure(error) });
      }
    };
    void ask();
    return () => controller.abort();
  }, [url, second]);
  return seen;
};

/** @param {{ checks: readonly Check[] }} props */
const Checks = ({ checks }) =>
  html`<ul class="checks">
    ${checks.map(
      ({ name, ok, reason: why, since }) =>
        html`<li key=${name}>
          <${Mark} level=${ok ? 'ok' : 'bad'} /><b>${name}</b
          >${why === null ? ' ' : html`: <${Foreign} text=${why} />${' '}`}<span class="muted"
            >since <${Time} at=${since}
          /></span>
        </li>`,
    )}
  </ul>`;

/** @param {{ details: Record<string, unknown> }} props */
const Readiness = ({ details }) =>
  html`<dl class="facts">
    ${Object.entries(details)
      .filter(([name]) => !['status', 'ready', 'reason', 'checks'].includes(name))
      .map(
        ([name, value]) =>
          html`<dt>${name}</dt>
            <dd><${Foreign} text=${typeof value === 'string' ? value : JSON.stringify(value)} /></dd>`,
      )}
  </dl>`;

/** @param {{ settings: Settings }} props */
const SettingsInForce = ({ settings: { versions, settings } }) =>
  html`<dl class="facts">
      ${Object.entries(versions).map(
        ([name, version]) =>
          html`<dt>${name}</dt>
            <dd>${version ?? '–'}</dd>`,
      )}
    </dl>
    <h3>Settings</h3>
    <table class="settings">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        ${settings.map(
          (setting) =>
            html`<tr class=${setting.isDefault ? 'default' : 'given'}>
              <th scope="row" class="any">${setting.name}</th>
              <td>
                ${setting.value === '' ? html`<span class="muted">empty</span>` : html`<${Foreign} text=${setting.value} />`}
                ${setting.isDefault ? null : html` <span class="outcome given">set</span>`}
              </td>
            </tr>`,
        )}
      </tbody>
    </table>`;
