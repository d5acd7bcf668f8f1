import { signal } from '@preact/signals-core';

/**
 * The place in the console, as the hash of the URL says it: `#/orders/ORD-1?status=new`.
 * @typedef {{ view: string, id: string | null, query: Record<string, string> }} Route
 */

/**
 * @param {string} hash
 * @returns {Route}
 */
export const parseHash = (hash) => {
  const [path = '', query = ''] = hash.replace(/^#?\/?/, '').split('?', 2);
  const [view = '', id = ''] = path.split('/');
  return {
    view: view || 'flow',
    id: id === '' ? null : decoded(id),
    query: Object.fromEntries(new URLSearchParams(query)),
  };
};

/**
 * @param {string} view
 * @param {string | null} [id]
 * @param {Record<string, string | null | undefined>} [query] empty values are left out
 */
export const hashOf = (view, id = null, query = {}) => {
  const given = Object.entries(query).filter((pair) => pair[1] !== undefined && pair[1] !== null && pair[1] !== '');
  const text = new URLSearchParams(/** @type {[string, string][]} */ (given)).toString();
  return `#/${view}${id === null ? '' : `/${encodeURIComponent(id)}`}${text === '' ? '' : `?${text}`}`;
};

/** @param {string} text */
const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export const route = signal(parseHash(''));

/** @param {string} hash */
export const go = (hash) => {
  location.hash = hash;
};

const readHash = () => {
  route.value = parseHash(location.hash);
};

export const followHash = () => {
  addEventListener('hashchange', readHash);
  readHash();
};
