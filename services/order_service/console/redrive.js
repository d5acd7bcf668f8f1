import { signal } from '@preact/signals-core';
import { asFailure, jsonCall, post } from './api.js';

/** @import { Call, Failure, RedrivePage, RedriveResult } from './types.d.ts' */

/**
 * The redrive of dead letters. The result of the last one stays while another view is shown. The service keeps the outcome
 * of each letter.
 * @typedef {{ call: Call, startedAt: number, isRunning: boolean, published: number, failed: RedriveResult[], skipped: RedriveResult[],
 *   failure: Failure | null }} Redrive
 * @typedef {{ id: number, key?: string, value?: string }} Letter
 * @typedef {{ reason?: string, key?: string }} Filter
 */

const PATH = '/dead-letters/redrive';
/** Letters in one call. */
const LETTERS = 1_000;
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

/** Redrives all dead letters that match, one call after another. @param {Filter} filter */
export const redriveAll = async (filter) => {
  let after = 0;
  begin({ filter, limit: LETTERS, after });
  for (;;) {
    const next = await take(() => post(PATH, { filter, limit: LETTERS, after }));
    if (next === null || next <= after) break;
    after = next;
  }
  end();
};

/** @param {unknown} body */
const begin = (body) => {
  const call = jsonCall('POST', PATH, body);
  lastRedrive.value = {
    call,
    startedAt: Date.now(),
    isRunning: true,
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
 * @returns {Promise<number | null>} `after` of the next call; null if there is none
 */
const take = async (ask) => {
  try {
    const { results, next } = await ask();
    const state = lastRedrive.value;
    if (state === null) return null;
    const withOutcome = (/** @type {RedriveResult['outcome'][]} */ ...outcomes) =>
      results.filter(({ outcome }) => outcomes.includes(outcome));
    const failed = withOutcome('not_published', 'unknown');
    lastRedrive.value = {
      ...state,
      published: state.published + withOutcome('published').length,
      failed: [...state.failed, ...failed].slice(0, KEPT),
      skipped: [...state.skipped, ...withOutcome('skipped')].slice(0, KEPT),
    };
    return failed.length > 0 ? null : next;
  } catch (error) {
    if (lastRedrive.value !== null) lastRedrive.value = { ...lastRedrive.value, failure: asFailure(error) };
    return null;
  }
};
