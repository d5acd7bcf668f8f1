/** @import { Answer, Call, Failure } from './types.d.ts' */

const TIMEOUT_MS = 15_000;

/** Thrown to a caller that needs the body of a call. */
class CallFailed extends Error {
  /** @param {Failure} failure */
  constructor(failure) {
    super(failure.detail);
    this.failure = failure;
  }
}

/**
 * Makes a call and returns its answer, whatever its status.
 * @param {Call} call
 * @param {AbortSignal} [signal]
 * @returns {Promise<Answer>}
 * @throws {CallFailed} if no answer came
 */
export const send = async ({ method, url, headers, body }, signal) => {
  const started = performance.now();
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  try {
    /** @type {RequestInit} */
    const request = { method, headers, body, cache: 'no-store' };
    const response = await fetch(url, { ...request, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
    const text = await response.text();
    return {
      status: response.status,
      headers: [...response.headers].filter(([name]) => SHOWN_HEADERS.has(name)),
      text,
      ms: performance.now() - started,
    };
  } catch (error) {
    if (signal?.aborted) throw error;
    const detail = timeout.aborted
      ? `${originOf(url)} did not answer within ${TIMEOUT_MS / 1_000} s`
      : `${originOf(url)} cannot be reached`;
    throw new CallFailed({ status: null, title: 'No answer', detail, code: 'NoAnswer', call: `${method} ${url}` });
  }
};

const SHOWN_HEADERS = new Set(['content-type', 'etag', 'retry-after', 'location', 'preference-applied']);

/** @param {string} url */
const originOf = (url) => new URL(url, location.href).origin;

/**
 * @param {string} url
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>} the body of a 2xx answer
 * @throws {CallFailed}
 */
export const get = (url, signal) => bodyOf({ method: 'GET', url, headers: {}, body: null }, signal);

/**
 * @param {string} url
 * @param {unknown} body
 * @returns {Promise<any>} the body of a 2xx answer
 * @throws {CallFailed}
 */
export const post = (url, body) => bodyOf(jsonCall('POST', url, body));

/**
 * @param {string} method
 * @param {string} url
 * @param {unknown} body
 * @returns {Call}
 */
export const jsonCall = (method, url, body) => ({
  method,
  url,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

/**
 * @param {Call} call
 * @param {AbortSignal} [signal]
 */
const bodyOf = async (call, signal) => {
  const answer = await send(call, signal);
  const body = parsed(answer.text);
  if (answer.status >= 200 && answer.status < 300 && body !== undefined) return body;
  throw new CallFailed(failureOf(call, answer));
};

/**
 * @param {Call} call
 * @param {Answer} answer
 * @returns {Failure}
 */
export const failureOf = ({ method, url }, { status, text }) => {
  const problem = parsed(text) ?? {};
  return {
    status,
    title: String(problem.title ?? `Status ${status}`),
    detail: String(problem.detail ?? 'this page cannot read the answer'),
    code: String(problem.code ?? `Http${status}`),
    ...(problem.outcome === undefined ? {} : { outcome: String(problem.outcome) }),
    ...(Array.isArray(problem.errors) ? { errors: problem.errors } : {}),
    call: `${method} ${url}`,
  };
};

/** @param {string} text */
export const parsed = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * @param {unknown} error
 * @returns {Failure}
 */
export const asFailure = (error) => {
  if (error instanceof CallFailed) return error.failure;
  return { status: null, title: 'This page has an error', detail: String(error), code: 'PageFault', call: 'this page' };
};
