import { html } from 'htm/preact';
import { toCurl, toPowerShell } from '../quoting.js';
import { CopyButton } from './copy_button.js';

/** @import { Call } from '../types.d.ts' */

/** A call as HTTP, and as commands to copy for a terminal. @param {{ call: Call }} props */
export const CallView = ({ call }) => {
  const { method, url, headers, body } = call;
  const { host, pathname, search } = new URL(url, location.href);
  const absolute = { ...call, url: new URL(url, location.href).href };
  const lines = [
    `${method} ${pathname}${search} HTTP/1.1`,
    `host: ${host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    '',
    body ?? '',
  ];
  return html`<pre class="code" tabindex="0" role="region" aria-label="Request">${lines.join('\n')}</pre>
    <p class="row">
      <${CopyButton} label="Copy as curl (bash)" text=${toCurl(absolute)} />
      <${CopyButton} label="Copy as PowerShell" text=${toPowerShell(absolute)} />
    </p>
    <details>
      <summary>The commands for curl and PowerShell</summary>
      <pre class="code" tabindex="0" role="region" aria-label="curl">${toCurl(absolute)}</pre>
      <pre class="code" tabindex="0" role="region" aria-label="PowerShell">${toPowerShell(absolute)}</pre>
    </details>`;
};
