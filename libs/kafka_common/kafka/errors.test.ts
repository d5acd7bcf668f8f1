import assert from 'node:assert/strict';
import { AuthenticationError, MultipleErrors, ProtocolError, ResponseError } from '@platformatic/kafka';
import { test } from 'node:test';
import { faultOf, isCertainlyNotWritten, toBrokerError } from './errors.ts';

const answer = (id: string): ProtocolError => new ProtocolError(id);

const PRODUCE = 0;
const INVALID_TIMESTAMP = 32;

const refusedRecords = (partitionError: number): ResponseError =>
  new ResponseError(
    PRODUCE,
    11,
    {
      '/responses/0/partition_responses/0/record_errors/0': [
        -1,
        'Timestamp 1 of message with offset 0 is out of range.',
      ],
      '/responses/0/partition_responses/0': [partitionError, 'One or more records have been rejected'],
    },
    { responses: [] },
  );

for (const [id, fault] of [
  ['MESSAGE_TOO_LARGE', 'message'],
  ['RECORD_LIST_TOO_LARGE', 'message'],
  ['INVALID_RECORD', 'message'],
  ['INVALID_TIMESTAMP', 'message'],
  ['UNKNOWN_TOPIC_OR_PARTITION', 'topic'],
  ['UNKNOWN_TOPIC_ID', 'topic'],
  ['NOT_ENOUGH_REPLICAS', undefined],
  ['TOPIC_AUTHORIZATION_FAILED', undefined],
] as const) {
  test(`${id} is certainly not written, alone or in every attempt; its fault is ${fault ?? 'the broker’s'}`, () => {
    const attempts = new MultipleErrors('produce failed 2 times.', [answer(id), new MultipleErrors('', [answer(id)])]);
    for (const error of [answer(id), attempts]) {
      assert.equal(isCertainlyNotWritten(error), true);
      assert.equal(faultOf(error), fault);
    }
  });
}

for (const id of [
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'UNKNOWN_SERVER_ERROR',
]) {
  test(`${id} is not certain, alone or beside a refusal`, () => {
    assert.equal(isCertainlyNotWritten(answer(id)), false);
    const attempts = new MultipleErrors('produce failed 2 times.', [answer(id), answer('INVALID_TIMESTAMP')]);
    assert.equal(isCertainlyNotWritten(attempts), false);
    assert.equal(faultOf(attempts), undefined);
  });
}

test('the records that a refusal names do not make it uncertain', () => {
  assert.equal(isCertainlyNotWritten(refusedRecords(INVALID_TIMESTAMP)), true);
  assert.equal(faultOf(refusedRecords(INVALID_TIMESTAMP)), 'message');
});

test('the records that an unknown server error names do not make it certain', () => {
  assert.equal(isCertainlyNotWritten(refusedRecords(-1)), false);
});

for (const [id, advice] of [
  ['TOPIC_AUTHORIZATION_FAILED', /right on the topic is missing: give .* Read/],
  ['GROUP_AUTHORIZATION_FAILED', /right on the consumer group is missing: give .* Read/],
  ['CLUSTER_AUTHORIZATION_FAILED', /right on the cluster is missing/],
  ['SASL_AUTHENTICATION_FAILED', /password is wrong/],
] as const) {
  test(`${id} is a denial that says what to do, also beside other errors`, () => {
    const wrapped = new MultipleErrors('join failed.', [new Error('closed'), new MultipleErrors('', [answer(id)])]);
    for (const error of [answer(id), wrapped]) {
      const { code, message } = toBrokerError(error);
      assert.equal(code, 'DENIED');
      assert.match(message, advice);
    }
  });
}

test('a failed login is a denial, and a lost connection is not', () => {
  assert.equal(toBrokerError(new AuthenticationError('SASL authentication failed.')).code, 'DENIED');
  assert.equal(toBrokerError(new Error('closed')).code, 'UNAVAILABLE');
});
