import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { requireSameTopic, topicChange } from './topic_change.ts';

describe('a topic, compared with what it was', () => {
  const before = { name: 'orders', id: 'first', partitions: 2 };
  const said = (now: typeof before | null): readonly [string, string] | null => {
    const change = topicChange(before, now);
    return change && [change.code, change.message];
  };

  test('is the same with the same id and as many partitions', () => {
    assert.equal(said({ ...before }), null);
    requireSameTopic(before, { ...before });
  });

  test('is missing if it was deleted', () => {
    assert.deepEqual(said(null), ['TOPIC_MISSING', 'topic orders does not exist any more']);
  });

  test('is another one with another id, also with as many partitions', () => {
    assert.deepEqual(said({ ...before, id: 'second' }), ['TOPIC_CHANGED', 'topic orders was created again']);
  });

  test('has changed with more partitions', () => {
    assert.deepEqual(said({ ...before, partitions: 8 }), ['TOPIC_CHANGED', 'topic orders has 8 partitions now, not 2']);
  });

  test('is required to be the same', () => {
    assert.throws(() => requireSameTopic(before, null), topicChange(before, null) ?? {});
  });
});
