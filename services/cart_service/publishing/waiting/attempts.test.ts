import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { CommandRequest } from '#cart_service/requests.ts';
import { createAttemptCounts } from './attempts.ts';

const DRAFT = { orderId: 'ORD-1', numberOfItems: 1, items: null, customerId: null, currency: null };

const create = (fingerprint: string, idempotencyKey: string | null = null): CommandRequest => ({
  command: { kind: 'create', orderId: 'ORD-1', draft: DRAFT, fingerprint },
  idempotencyKey,
  traceparent: '',
});

const update = (fingerprint: string, idempotencyKey: string | null = null): CommandRequest => ({
  command: { kind: 'update', orderId: 'ORD-1', status: 'confirmed', fingerprint },
  idempotencyKey,
  traceparent: '',
});

/** Whether the second request meets an attempt at itself, after the first one has entered. */
const isMet = (first: CommandRequest, second: CommandRequest): boolean => {
  const counts = createAttemptCounts();
  counts.enter(first);
  return counts.enter(second).some(({ inside }) => inside === 2);
};

describe('the attempts at one request', () => {
  test('are the creates with one fingerprint, under any key', () => {
    assert(isMet(create('f'), create('f')));
    assert(isMet(create('f', 'k'), create('f', 'l')));
    assert(isMet(create('f', 'k'), create('f')));
    assert(!isMet(create('f'), create('g')));
  });

  test('are the requests under one key', () => {
    assert(isMet(create('f', 'k'), create('g', 'k')));
    assert(isMet(update('f', 'k'), update('g', 'k')));
  });

  test('are the updates without a key that have one fingerprint', () => {
    assert(isMet(update('f'), update('f')));
    assert(!isMet(update('f'), update('g')));
    assert(!isMet(update('f', 'k'), update('f', 'l')));
    assert(!isMet(update('f', 'k'), update('f')));
  });

  test('know neither a stored event nor a doubt at first', () => {
    assert.deepEqual(createAttemptCounts().enter(update('f')), [{ inside: 1, stored: false, doubted: false }]);
  });

  test('share what is known of them while one of them is inside', () => {
    const counts = createAttemptCounts();
    const [first] = counts.enter(update('f'));
    const [second] = counts.enter(update('f'));
    assert.equal(first, second);
    counts.leave(update('f'));
    assert.deepEqual(counts.enter(update('f')), [first]);
    assert.equal(first?.inside, 2);
  });

  test('are forgotten once all of them have left', () => {
    const counts = createAttemptCounts();
    const [first] = counts.enter(update('f'));
    counts.leave(update('f'));
    const [next] = counts.enter(update('f'));
    assert.notEqual(next, first);
    assert.equal(next?.inside, 1);
  });

  test('are doubted together, and no others', () => {
    const counts = createAttemptCounts();
    const attempts = counts.enter(create('f', 'k'));
    const [other] = counts.enter(create('g'));
    counts.doubt(create('f', 'k'));
    assert.deepEqual(
      attempts.map(({ doubted }) => doubted),
      [true, true],
    );
    assert.equal(other?.doubted, false);
  });

  test('need not be inside to be doubted or to leave', () => {
    const counts = createAttemptCounts();
    counts.doubt(update('f'));
    counts.leave(update('f'));
    assert.deepEqual(counts.enter(update('f')), [{ inside: 1, stored: false, doubted: false }]);
  });
});
