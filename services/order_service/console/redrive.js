import { signal } from '@preact/signals-core';
import { asFailure, jsonCall, post } from './api.js';

/** @import { Call, Failure, RedriveResult } from './types.d.ts' */

/**
 * Putting dead letters back on the topic. What came of the last time stays while another view is shown; what came of each
 * letter in the end is with the service.
 * @typedef {{ call: Call, startedAt: number, isRunning: boolean, published: number, failed: RedriveResult[], skipped: RedriveResult[],
 *   failure: Failure | null }} Redrive
 * @typedef {{ id: number, key?: string, value?: string }} Letter
 * @typedef {{ reason?: string, key?: string }} Filter
 */

const PATH = '/dead-letters/redrive';
/** In one call. */
const LETTERS = 1_000;
/** Results that are kept to be shown. */
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

/** All held ones that match, a call at a time. @param {Filter} filter */
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
 * @param {() => Promise<{ results: RedriveResult[], next: number | null }>} ask
 * @returns {Promise<number | null>} where to go on
 */
const take = async (ask) => {
  try {
    const { results, next } = await ask();
    const state = lastRedrive.value;
    if (state === null) return null;
    const of = (/** @type {string[]} */ outcomes) => results.filter(({ outcome }) => outcomes.includes(outcome));
    lastRedrive.value = {
      ...state,
      published: state.published + of(['published']).length,
      failed: [...state.failed, ...of(['not_published', 'unknown'])].slice(0, KEPT),
      skipped: [...state.skipped, ...of(['skipped'])].slice(0, KEPT),
    };
    return of(['not_published', 'unknown']).length > 0 ? null : next;
  } catch (error) {
    if (lastRedrive.value !== null) lastRedrive.value = { ...lastRedrive.value, failure: asFailure(error) };
    return null;
  }
};
