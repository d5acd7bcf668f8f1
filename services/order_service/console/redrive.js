import { signal } from '@preact/signals-core';
import { asFailure, jsonCall, post } from './api.js';

/** @import { Call, Failure, RedrivePage, RedriveResult } from './types.d.ts' */

/**
 * The redrive of dead letters. The result of the last one stays while another view is shown. The service keeps the outcome
 * of each letter.
 * @typedef {{ call: Call, startedAt: number, isRunning: boolean, isStopping: boolean, stopped: string | null, published: number, failed: RedriveResult[], skipped: RedriveResult[],
 *   failure: Failure | null }} Redrive
 * @typedef {{ id: number, key?: string, value?: string }} Letter
 * @typedef {{ reason?: string, key?: string }} Filter
 */

const PATH = '/dead-letters/redrive';
/** Letters in one call by id. */
const LETTERS = 1_000;
/** Letters in one call by a filter. It is stopped between two calls. */
const PAGE = 200;
/** Results of each kind that are shown. */
const KEPT = 100;

/** @type {import('@preact/signals-core').Signal<Redrive | null>} */
export const lastRedrive = signal(null);

/** @param {readonly Letter[]} letters */
export const redriveLetters = async (letters) => {
  const body = { letters: letters.slice(0, LETTERS) };
  begin(body);
  await take(() => post(PATH, body));
  end();
};

/**
 * Redrives all dead letters that match, one call after another, up to the newest one at the first call. So a letter that
 * comes back dead is not taken again.
 * @param {Filter} filter
 */
export const redriveAll = async (filter) => {
  begin({ filter, limit: PAGE });
  let place = {};
  for (;;) {
    const body = { filter, limit: PAGE, ...place };
    const page = await take(() => post(PATH, body));
    if (page === null || page.stopped !== null || page.next === null || lastRedrive.value?.isStopping) break;
    place = { after: page.next, until: page.until };
  }
  end();
};

/** Ends a redrive by a filter after the call under way. */
export const stopRedrive = () => {
  if (lastRedrive.value !== null) lastRedrive.value = { ...lastRedrive.value, isStopping: true };
};

/** @param {unknown} body */
const begin = (body) => {
  const call = jsonCall('POST', PATH, body);
  lastRedrive.value = {
    call,
    startedAt: Date.now(),
    isRunning: true,
    isStopping: false,
    stopped: null,
    published: 0,
    failed: [],
    skipped: [],
    failure: null,
  };
};

const end = () => {
  if (lastRedrive.value !== null) lastRedrive.value = { ...lastRedrive.value, isRunning: false };
};

/**
 * @param {() => Promise<RedrivePage>} ask
 * @returns {Promise<RedrivePage | null>} the answer; null if there was none
 */
const take = async (ask) => {
  try {
    const page = await ask();
    const { results, stopped } = page;
    const state = lastRedrive.value;
    if (state === null) return null;
    const withOutcome = (/** @type {RedriveResult['outcome'][]} */ ...outcomes) =>
      results.filter(({ outcome }) => outcomes.includes(outcome));
    const failed = withOutcome('not_published', 'unknown');
    lastRedrive.value = {
      ...state,
      stopped,
      published: state.published + withOutcome('published').length,
      failed: [...state.failed, ...failed].slice(0, KEPT),
      skipped: [...state.skipped, ...withOutcome('skipped')].slice(0, KEPT),
    };
    return page;
  } catch (error) {
    if (lastRedrive.value !== null) lastRedrive.value = { ...lastRedrive.value, failure: asFailure(error) };
    return null;
  }
};
