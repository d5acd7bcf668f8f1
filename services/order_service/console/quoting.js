/** @import { Call } from './types.d.ts' */

/** A call as a line for a terminal, which sends exactly that, whatever characters are in it. */

/** @param {string} text */
const inBash = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/** PowerShell takes the typographic single quotes for quotes too. @param {string} text */
const inPowerShell = (text) => `'${text.replaceAll(/['\u2018\u2019\u201a\u201b]/g, '$&$&')}'`;

/** @param {Call} call */
export const toCurl = ({ method, url, headers, body }) =>
  [
    `curl -i -X ${method} ${inBash(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${inBash(`${name}: ${value}`)}`),
    // --data-raw, as --data would read a file where the body begins with @.
    ...(body === null ? [] : [`--data-raw ${inBash(body)}`]),
  ].join(' \\\n  ');

/** @param {Call} call */
export const toPowerShell = ({ method, url, headers, body }) => {
  const { 'content-type': type, ...others } = headers;
  const pairs = Object.entries(others).map(([name, value]) => `${inPowerShell(name)} = ${inPowerShell(value)}`);
  return [
    `Invoke-RestMethod -Method ${method} -Uri ${inPowerShell(url)}`,
    ...(pairs.length > 0 ? [`-Headers @{ ${pairs.join('; ')} }`] : []),
    // Windows PowerShell sends a body in Latin-1 unless told otherwise.
    ...(type === undefined ? [] : [`-ContentType ${inPowerShell(`${type}; charset=utf-8`)}`]),
    ...(body === null ? [] : [`-Body ${inPowerShell(body)}`]),
  ].join(' `\n  ');
};
