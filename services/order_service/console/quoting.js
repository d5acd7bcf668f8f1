/** @import { Call } from './types.d.ts' */

/** A call as a command for a terminal. It sends exactly this call, whatever characters are in it. */

/** @param {string} text */
const inBash = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** PowerShell treats typographic single quotes as quotes too. @param {string} text */
const inPowerShell = (text) => `'${text.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;

/** @param {Call} call */
export const toCurl = ({ method, url, headers, body }) =>
  [
    `curl -i -X ${method} ${inBash(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${inBash(`${name}: ${value}`)}`),
    // --data-raw, because --data reads a file if the body begins with @.
    ...(body === null ? [] : [`--data-raw ${inBash(body)}`]),
  ].join(' \\\n  ');

/** @param {Call} call */
export const toPowerShell = ({ method, url, headers, body }) => {
  const { 'content-type': type, ...others } = headers;
  const pairs = Object.entries(others).map(([name, value]) => `${inPowerShell(name)} = ${inPowerShell(value)}`);
  return [
    `Invoke-RestMethod -Method ${method} -Uri ${inPowerShell(url)}`,
    ...(pairs.length > 0 ? [`-Headers @{ ${pairs.join('; ')} }`] : []),
    // Without a charset, Windows PowerShell sends the body in Latin-1.
    ...(type === undefined ? [] : [`-ContentType ${inPowerShell(`${type}; charset=utf-8`)}`]),
    ...(body === null ? [] : [`-Body ${inPowerShell(body)}`]),
  ].join(' `\n  ');
};
