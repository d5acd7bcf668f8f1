import { AuthenticationError, GenericError, MultipleErrors, ProtocolError, UserError } from '@platformatic/kafka';
import { BrokerError } from '#kafka_common/broker.ts';
import { TimeoutReached } from '#service_common/within.ts';

/** The library's retries wrap the errors of all attempts (`MultipleErrors`), so an error is judged by its leaves. */
const leavesOf = (error: unknown): unknown[] =>
  error instanceof MultipleErrors ? error.errors.flatMap(leavesOf).filter((leaf) => !isRecordError(leaf)) : [error];

/**
 * A Produce answer names the records that a partition was refused for (KIP-467). The library makes each an
 * `UNKNOWN_SERVER_ERROR` beside the partition's own error, which alone says what happened.
 */
const isRecordError = (leaf: unknown): boolean =>
  leaf instanceof ProtocolError && String(leaf['path' as keyof ProtocolError]).includes('/record_errors/');

/** Kafka's names of the errors that brokers answered, for example `MESSAGE_TOO_LARGE`. */
export const protocolErrorsOf = (error: unknown): string[] =>
  leavesOf(error).flatMap((leaf) =>
    leaf instanceof ProtocolError ? [String(leaf['apiId' as keyof ProtocolError])] : [],
  );

/**
 * Answers after which a record is certainly in no log. NOT_LEADER_OR_FOLLOWER, REQUEST_TIMED_OUT and
 * NOT_ENOUGH_REPLICAS_AFTER_APPEND are left out on purpose: they can come after the leader has appended the record.
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_RECORD',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'MESSAGE_TOO_LARGE',
  'NOT_ENOUGH_REPLICAS',
  'POLICY_VIOLATION',
  'RECORD_LIST_TOO_LARGE',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
]);

const MESSAGE_FAULTS: ReadonlySet<string> = new Set([
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
]);

const TOPIC_FAULTS: ReadonlySet<string> = new Set(['UNKNOWN_TOPIC_ID', 'UNKNOWN_TOPIC_OR_PARTITION']);

/** The library's message for a topic that a broker's metadata does not have. It has no code for that case. */
const UNKNOWN_TOPIC = /Unknown topic/;

/** True if the broker refuses a request only because of missing rights. */
export const isRefusedByRights = (error: unknown): boolean => {
  const names = protocolErrorsOf(error);
  return names.length > 0 && names.every((name) => name.endsWith('_AUTHORIZATION_FAILED'));
};

/** What a refusal is about: a message alone, or the topic. Undefined if it can be the broker. */
export const faultOf = (error: unknown): 'message' | 'topic' | undefined => {
  const names = protocolErrorsOf(error);
  if (names.some((name) => TOPIC_FAULTS.has(name)) || UNKNOWN_TOPIC.test(describeError(error))) return 'topic';
  return names.length > 0 && names.every((name) => MESSAGE_FAULTS.has(name)) ? 'message' : undefined;
};

/**
 * The library's messages for an attempt that never had a connection. It has no error class or code for that case.
 * The contract tests fail if the messages change.
 */
const NO_CONNECTION =
  /^(Connection to .* (failed|timed out)\.|Connection closed while waiting for ready\.|Cannot get a connection: .*)$/;

/** True if no attempt can have left a record in a log: there was no connection, or the broker refused the record. */
export const isCertainlyNotWritten = (error: unknown): boolean => {
  const leaves = leavesOf(error);
  return leaves.length > 0 && leaves.every(leftNoRecord);
};

const leftNoRecord = (leaf: unknown): boolean =>
  leaf instanceof UserError ||
  leaf instanceof AuthenticationError ||
  (leaf instanceof ProtocolError && REFUSALS.has(String(leaf['apiId' as keyof ProtocolError]))) ||
  (leaf instanceof GenericError && NO_CONNECTION.test(leaf.message));

/** What to do about missing rights. The broker does not say which operation it missed. */
const MISSING_RIGHTS: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED:
    'a right on the topic is missing: give the user of the Cart Service Describe, Read and Write, and that of the Order Service Describe and Read',
  GROUP_AUTHORIZATION_FAILED:
    'a right on the consumer group is missing: give the user of the Order Service Read on the group',
  CLUSTER_AUTHORIZATION_FAILED:
    'a right on the cluster is missing: creating the topic needs Create, or create the topic beforehand',
  SASL_AUTHENTICATION_FAILED: 'the user name or the password is wrong',
};

const isDenial = (error: unknown): boolean =>
  leavesOf(error).some((leaf) => leaf instanceof AuthenticationError) ||
  protocolErrorsOf(error).some((name) => name in MISSING_RIGHTS);

const messageOf = (leaf: Error): string => {
  if (!(leaf instanceof ProtocolError)) return leaf.message;
  const name = String(leaf['apiId' as keyof ProtocolError]);
  return `${name}: ${MISSING_RIGHTS[name] ?? leaf.message}`;
};

/** One line for logs and answers: the distinct causes, without stack traces. */
export const describeError = (error: unknown): string => {
  const causes = leavesOf(error).map((leaf) => {
    if (!(leaf instanceof Error)) return String(leaf);
    const cause =
      leaf.cause instanceof Error && !leaf.message.includes(leaf.cause.message) ? ` (${leaf.cause.message})` : '';
    return `${messageOf(leaf)}${cause}`;
  });
  return [...new Set(causes)].join('; ').slice(0, 500) || 'unknown error';
};

/** Any error as a BrokerError `DENIED` or `UNAVAILABLE`, unless it is a BrokerError already. */
export const toBrokerError = (error: unknown): BrokerError =>
  error instanceof BrokerError
    ? error
    : new BrokerError(isDenial(error) ? 'DENIED' : 'UNAVAILABLE', describeError(error), error);

/** The library's errors become BrokerErrors. Errors of the caller, from `onBatch` and `startAt`, stay as they are. */
export const fromLibrary = (error: unknown): unknown =>
  error instanceof GenericError || error instanceof MultipleErrors || error instanceof TimeoutReached
    ? toBrokerError(error)
    : error;
