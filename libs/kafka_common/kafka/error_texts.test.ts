import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { AuthenticationError, MultipleErrors, NetworkError, ProtocolError, UserError } from '@platformatic/kafka';
import { BrokerError } from '#kafka_common/broker.ts';
import { TimeoutReached } from '#service_common/within.ts';
import {
  describeError,
  faultOf,
  fromLibrary,
  isCertainlyNotWritten,
  isRefusedByRights,
  protocolErrorsOf,
  toBrokerError,
} from './errors.ts';

const answer = (id: string): ProtocolError => new ProtocolError(id);
const several = (...errors: Error[]): MultipleErrors => new MultipleErrors('failed 2 times.', errors);
const lost = (message: string): NetworkError => new NetworkError(message);

describe('an attempt without an answer', () => {
  for (const [error, isCertain] of [
    [lost('Connection to kafka:9092 failed.'), true],
    [lost('Connection to kafka:9092 timed out.'), true],
    [lost('Connection closed while waiting for ready.'), true],
    [lost('Cannot get a connection: all brokers are away'), true],
    [lost('Connection closed'), false],
    [lost('x Connection to kafka:9092 failed.'), false],
    [lost('Connection to kafka:9092 failed. And more'), false],
    [new UserError('a wrong message'), true],
    [new AuthenticationError('SASL authentication failed.'), true],
    [new Error('Connection to kafka:9092 failed.'), false],
    [new TimeoutReached(1_000), false],
  ] as const) {
    test(`has ${isCertain ? 'certainly' : 'perhaps'} written ${isCertain ? 'nothing' : 'a record'}: ${error.message}`, () => {
      assert.equal(isCertainlyNotWritten(error), isCertain);
      assert.equal(isCertainlyNotWritten(several(lost('Connection to k:1 failed.'), error)), isCertain);
    });
  }

  test('says nothing if no error of an attempt is known', () => {
    assert.equal(isCertainlyNotWritten(several()), false);
    assert.equal(faultOf(several()), undefined);
    assert.equal(isRefusedByRights(several()), false);
  });
});

describe('what a broker refuses', () => {
  for (const id of [
    'CLUSTER_AUTHORIZATION_FAILED',
    'INVALID_REQUIRED_ACKS',
    'INVALID_TOPIC_EXCEPTION',
    'POLICY_VIOLATION',
    'UNSUPPORTED_FOR_MESSAGE_FORMAT',
  ]) {
    test(`is certainly not written after ${id}`, () => {
      assert.equal(isCertainlyNotWritten(answer(id)), true);
      assert.equal(faultOf(answer(id)), id === 'UNSUPPORTED_FOR_MESSAGE_FORMAT' ? 'message' : undefined);
    });
  }

  test('is the topic’s fault if one answer says so, or if the library does not know the topic', () => {
    assert.equal(faultOf(several(answer('MESSAGE_TOO_LARGE'), answer('UNKNOWN_TOPIC_ID'))), 'topic');
    assert.equal(faultOf(new UserError('Unknown topic orders.events.')), 'topic');
    assert.equal(faultOf(several(answer('MESSAGE_TOO_LARGE'), answer('NOT_ENOUGH_REPLICAS'))), undefined);
    assert.equal(faultOf(several(answer('MESSAGE_TOO_LARGE'), answer('INVALID_RECORD'))), 'message');
  });

  test('is refused by rights if every answer says so', () => {
    const [topic, group] = [answer('TOPIC_AUTHORIZATION_FAILED'), answer('GROUP_AUTHORIZATION_FAILED')];
    assert.equal(isRefusedByRights(several(topic, group)), true);
    assert.equal(isRefusedByRights(several(topic, answer('NOT_ENOUGH_REPLICAS'))), false);
    assert.equal(isRefusedByRights(new Error('TOPIC_AUTHORIZATION_FAILED')), false);
  });

  test('has the names of Kafka', () => {
    const errors = several(answer('INVALID_RECORD'), new Error('closed'), several(answer('UNKNOWN_TOPIC_ID')));
    assert.deepEqual(protocolErrorsOf(errors), ['INVALID_RECORD', 'UNKNOWN_TOPIC_ID']);
  });
});

describe('the text of an error', () => {
  test('has each cause once, on one line', () => {
    const cause = new Error('ECONNREFUSED');
    const errors = several(
      new Error('closed', { cause }),
      new Error('closed', { cause }),
      new Error('failed: ECONNREFUSED', { cause }),
      new Error('other', { cause: 'no error' }),
    );
    assert.equal(describeError(errors), 'closed (ECONNREFUSED); failed: ECONNREFUSED; other');
  });

  test('names the answer of the broker, with what to do or what the library says', () => {
    const error = answer('NOT_ENOUGH_REPLICAS');
    assert.equal(describeError(error), `NOT_ENOUGH_REPLICAS: ${error.message}`);
    assert.equal(
      describeError(answer('SASL_AUTHENTICATION_FAILED')),
      'SASL_AUTHENTICATION_FAILED: the user name or the password is wrong',
    );
  });

  test('has 500 characters at most, and is never empty', () => {
    assert.equal(describeError(new Error('x'.repeat(600))).length, 500);
    assert.equal(describeError(several()), 'unknown error');
    assert.equal(describeError('a text'), 'a text');
  });
});

describe('an error for callers', () => {
  test('is denied for missing rights, and else unavailable, with its cause', () => {
    const error = answer('NOT_ENOUGH_REPLICAS');
    const { code, message, cause } = toBrokerError(error);
    assert.deepEqual([code, message, cause], ['UNAVAILABLE', describeError(error), error]);
    assert.equal(toBrokerError(several(new Error('x'), new AuthenticationError('y'))).code, 'DENIED');
  });

  test('stays if it is a BrokerError', () => {
    const error = new BrokerError('TOPIC_MISSING', 'x');
    assert.equal(toBrokerError(error), error);
  });

  test('of the library becomes a BrokerError, and one of the caller stays as it is', () => {
    for (const error of [lost('closed'), several(new Error('x')), new TimeoutReached(1)])
      assert.ok(fromLibrary(error) instanceof BrokerError);
    const own = new TypeError('a fault');
    assert.equal(fromLibrary(own), own);
  });
});
