import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AppliedTransaction } from '#order_service/consuming/apply_observers.ts';
import { created, record } from '#tests/support/events.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { logTransactions } from './apply_log.ts';

const TRACE_ID = '1'.repeat(32);
const TRACEPARENT = ['traceparent', Buffer.from(`00-${TRACE_ID}-${'2'.repeat(16)}-01`)] as const;

const letter = (partition: number, offset: number) => ({
  ...record('no event', { offset, key: Buffer.from('k'.repeat(200)), headers: [TRACEPARENT] }),
  topic: 't',
  partition,
  reason: 'the value is not JSON',
  isWhole: true,
  storedAt: 1,
});

const located = (n: number) => ({ event: created(`ORD-${n}`), partition: 4, record: record(created(`ORD-${n}`)) });

const transaction = (changes: Partial<AppliedTransaction>): AppliedTransaction => ({
  orderIds: [],
  history: [],
  events: [],
  deadLetters: [],
  keyMismatches: [],
  startedAt: 1,
  endedAt: 2,
  ...changes,
});

test('dead letters are one warning for each partition, with the first of them', () => {
  const { logger, lines } = createTestLog();
  logTransactions(logger)(transaction({ deadLetters: [letter(3, 41), letter(3, 42), letter(5, 7)] }));
  assert.deepEqual(
    lines.map(({ level, partition, count, offset }) => [level, partition, count, offset]),
    [
      ['warn', 3, 2, 41],
      ['warn', 5, 1, 7],
    ],
  );
  assert.partialDeepStrictEqual(lines[0], {
    msg: 'messages set aside as dead letters',
    key: 'k'.repeat(100),
    traceId: TRACE_ID,
    reason: 'the value is not JSON',
  });
});

test('events under another key are one warning for each partition, and others are no line', () => {
  const { logger, lines } = createTestLog();
  logTransactions(logger)(transaction({ events: [located(1), located(2)], keyMismatches: [located(2)] }));
  assert.equal(lines.length, 1);
  assert.partialDeepStrictEqual(lines[0], { level: 'warn', partition: 4, count: 1, orderId: 'ORD-2' });
});

test('each event is a line at level debug', () => {
  const { logger, lines } = createTestLog();
  logger.level = 'debug';
  logTransactions(logger)(transaction({ events: [located(1), located(2)] }));
  assert.deepEqual(
    lines.map(({ level, msg, orderId }) => [level, msg, orderId]),
    [
      ['debug', 'read an event', 'ORD-1'],
      ['debug', 'read an event', 'ORD-2'],
    ],
  );
});
