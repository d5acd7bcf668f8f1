import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BrokerError, type BrokerErrorCode } from '#kafka_common/broker.ts';
import { StoreError } from '#service_common/store_error.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { createConsumingState, DELAYS } from './consuming_state.ts';

const NOW = Date.parse('2026-01-18T12:00:00.000Z');
const WHERE = { topic: 't', group: 'g', memberId: 'm' };

const scene = () => {
  const { logger, lines } = createTestLog();
  const state = createConsumingState({ ...WHERE, logger, delays: DELAYS, now: () => NOW });
  const ended = (code: BrokerErrorCode) => state.ended(new BrokerError(code, 'the cause'));
  return { state, ended, lines };
};

describe('the delays before consuming is tried again', () => {
  test('are 2 s five times after a lost connection, then 4 s, then 5 s', () => {
    assert.deepEqual([1, 5, 6, 7, 20].map(DELAYS.reconnect), [2_000, 2_000, 4_000, 5_000, 5_000]);
  });

  test('are none after the topic has changed once, and 500 ms if it changes again', () => {
    assert.deepEqual([1, 2, 3].map(DELAYS.topicChanged), [0, 500, 500]);
  });

  test('double from 100 ms to 5 s while the store fails', () => {
    assert.deepEqual([1, 2, 3, 6, 7, 20].map(DELAYS.store), [100, 200, 400, 3_200, 5_000, 5_000]);
  });
});

describe('the state of consuming', () => {
  test('is `starting` before the first assignment', () => {
    assert.deepEqual(scene().state.status, {
      state: 'starting',
      attempt: 0,
      assigned: [],
      reason: 'the consumer has not joined its group yet',
      topicChange: null,
    });
  });

  test('is `consuming` with the partitions assigned', () => {
    const { state, ended, lines } = scene();
    ended('UNAVAILABLE');
    state.assigned([0, 2]);
    assert.deepEqual(state.status, {
      state: 'consuming',
      attempt: 0,
      assigned: [0, 2],
      reason: null,
      topicChange: null,
    });
    const { level, msg, topic, group, memberId, partitions } = lines.at(-1) ?? assert.fail('nothing is logged');
    assert.deepEqual([level, msg, topic, group, memberId, partitions], ['info', 'consuming', 't', 'g', 'm', [0, 2]]);
  });

  const cases: readonly (readonly [
    error: Error,
    level: string,
    reason: string,
    delays: readonly number[],
    details: readonly string[],
  ])[] = [
    [
      new BrokerError('UNAVAILABLE', 'the cause'),
      'warn',
      'the broker cannot be reached, trying again',
      [2_000, 2_000],
      ['attempt', 'delayMs', 'reason'],
    ],
    [
      new BrokerError('DENIED', 'the cause'),
      'error',
      'the broker refuses this service, trying again: the cause',
      [2_000, 2_000],
      ['attempt', 'delayMs'],
    ],
    [
      new BrokerError('FENCED', 'the cause'),
      'error',
      'another process has joined the group under the same member id; give each its own by CONSUMER_MEMBER_ID',
      [10_000, 10_000],
      ['group', 'memberId', 'delayMs'],
    ],
    [
      new BrokerError('TOPIC_CHANGED', 'the cause'),
      'warn',
      'the topic has changed, beginning again',
      [0, 500],
      ['topic', 'reason'],
    ],
    [
      new StoreError('STORE_OVERTAKEN', 'the cause'),
      'warn',
      'another process has moved the view on; going on from its present position',
      [100, 100],
      ['group', 'memberId', 'reason'],
    ],
    [
      new StoreError('STORE_UNAVAILABLE', 'the cause'),
      'error',
      'consuming failed, trying again',
      [2_000, 2_000],
      ['attempt', 'delayMs', 'err'],
    ],
    [
      new TypeError('a fault'),
      'error',
      'consuming failed, trying again',
      [2_000, 2_000],
      ['attempt', 'delayMs', 'err'],
    ],
  ];
  for (const [error, level, reason, delays, details] of cases) {
    test(`is \`reconnecting\` after ${'code' in error ? String(error.code) : error.name}, with the reason`, () => {
      const { state, lines } = scene();
      state.assigned([0]);
      assert.deepEqual(
        [1, 2].map(() => state.ended(error)),
        delays,
      );
      const { status } = state;
      assert.deepEqual([status.state, status.attempt, status.assigned, status.reason], ['reconnecting', 2, [], reason]);
      const line = lines.at(-1) ?? assert.fail('nothing is logged');
      assert.deepEqual([line.level, line.msg], [level, reason]);
      for (const name of details) assert.ok(name in line, name);
      for (const [name, value] of Object.entries({ ...WHERE, attempt: 2, delayMs: delays[1], reason: 'the cause' }))
        if (details.includes(name)) assert.equal(line[name], value);
    });
  }

  test('shows the last change of the topic', () => {
    const { state, ended } = scene();
    const shown = () => state.status.topicChange;
    ended('UNAVAILABLE');
    assert.equal(shown(), null);
    ended('TOPIC_CHANGED');
    assert.deepEqual(shown(), { at: '2026-01-18T12:00:00.000Z', what: 'the cause' });
    state.topicMadeAgain();
    assert.equal(shown()?.what, 'the topic was deleted and made again; the new one is read from its start');
  });
});

describe('a topic that does not exist', () => {
  test('is waited for, and that is logged once', () => {
    const { state, ended, lines } = scene();
    ended('UNAVAILABLE');
    assert.deepEqual([ended('TOPIC_MISSING'), ended('TOPIC_MISSING')], [500, 500]);
    const { state: name, attempt, reason, topicChange } = state.status;
    assert.deepEqual(
      [name, attempt, reason, topicChange],
      ['waiting_for_topic', 0, 'the topic does not exist yet', null],
    );
    assert.deepEqual(
      lines.slice(1).map(({ level, msg, topic }) => [level, msg, topic]),
      [['info', 'the topic does not exist yet, waiting for it', 't']],
    );
  });

  test('was deleted if it was consumed before', () => {
    const { state, ended, lines } = scene();
    state.assigned([0]);
    ended('TOPIC_MISSING');
    ended('TOPIC_MISSING');
    const deleted = 'the topic was deleted; consuming begins again once it exists again';
    assert.deepEqual([state.status.reason, state.status.topicChange?.what], [deleted, deleted]);
    assert.deepEqual(
      lines.slice(1).map(({ level, msg, topic }) => [level, msg, topic]),
      [['error', deleted, 't']],
    );
  });
});
