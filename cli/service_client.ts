import { failed, unreachable } from './failures.ts';
import { visible } from './visible.ts';

/** The address of a service. */
export interface Service {
  /** For people. */
  readonly name: string;
  readonly url: string;
}

export interface Reply<B> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: B;
}

/** An error answer of the services (RFC 9457). */
export interface Problem {
  readonly code?: string;
  readonly detail?: string;
  readonly outcome?: string;
}

/** The connection failed before the whole answer came, or no answer came in time. */
export class NoAnswer extends Error {}

export interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** The longest wait for a whole answer; the services never take as long. */
const ANSWER_MS = 65_000;

/** Sends a request and returns the answer, whatever its status. @throws NoAnswer; the signal's reason */
export const call = async <B>(
  { url }: Service,
  path: string,
  { method = 'GET', headers = {}, body }: Call,
  signal: AbortSignal,
): Promise<Reply<B>> => {
  let response: Response;
  let answer: string;
  try {
    response = await fetch(`${url}${path}`, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]),
    });
    answer = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new NoAnswer(causeOf(error), { cause: error });
  }
  return { status: response.status, headers: response.headers, body: parsed(answer) as B };
};

/** Returns the body of a call that must be answered 200. @throws Failure */
export const fetchBody = async <B>(service: Service, path: string, request: Call, signal: AbortSignal): Promise<B> => {
  const { status, body } = await callReachable<B | Problem | null>(service, path, request, signal);
  if (status === 200 && body !== null) return body as B;
  throw refused(service, path, status, body as Problem | null);
};

/** Like `call`, for commands that end if the service cannot be reached. @throws Failure */
export const callReachable = async <B>(
  service: Service,
  path: string,
  request: Call,
  signal: AbortSignal,
): Promise<Reply<B>> => {
  try {
    return await call<B>(service, path, request, signal);
  } catch (error) {
    throw error instanceof NoAnswer ? notThere(service, error.message) : error;
  }
};

export const notThere = ({ name, url }: Service, reason: string): Error =>
  unreachable(`the ${name} does not answer at ${url} (${visible(reason)}); start it with npm start`);

export const refused = ({ name, url }: Service, path: string, status: number, problem: Problem | null): Error =>
  problem?.code === undefined
    ? unreachable(`the program at ${url} is not the ${name} (it answered ${status} to ${path}); check the address`)
    : failed(`the ${name} answered ${status} ${visible(`${problem.code}: ${problem.detail ?? ''}`)}`);

/** Null if the text is not JSON: then another program has answered. */
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** Why `fetch` failed. The reason is in the error's cause, there in one error for each address that was tried. */
export const causeOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${ANSWER_MS / 1_000} s`;
  if (error.cause !== undefined) return causeOf(error.cause);
  if (error instanceof AggregateError && error.errors.length > 0) return causeOf(error.errors[0]);
  return error.message;
};
