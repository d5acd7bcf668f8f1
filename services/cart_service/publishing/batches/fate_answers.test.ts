import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Fate } from '#kafka_common/broker.ts';
import { createPartitionQueue } from '#cart_service/publishing/waiting/partition_queue.ts';
import type { Waiting } from '#cart_service/publishing/waiting/waiting_room.ts';
import { type Answer, DONE, failed } from '#cart_service/requests.ts';
import type { CartBatch } from '#cart_service/store/cart_store.ts';
import { A_TOPIC, confirmation, creation, unsettledIn, waitingFor } from '#tests/support/cart_parts.ts';
import { create, keyed, update } from '#tests/support/cart_requests.ts';
import { createTestLog } from '#tests/support/test_log.ts';
import { createFateAnswers } from './fate_answers.ts';

const ACKNOWLEDGED: Fate = { kind: 'acknowledged', partition: 0, offset: 7 };
const NOT_WRITTEN: Fate = { kind: 'not_written', detail: 'down' };
const REFUSED: Fate = { kind: 'not_written', fault: 'message', detail: 'too large' };
const UNKNOWN: Fate = { kind: 'unknown', detail: 'no answer' };

const STATE = { orderId: 'ORD-1', version: 1, status: 'new' } as const;

interface Circumstances {
  readonly wasAnswered?: boolean;
  readonly isDoubted?: boolean;
  readonly hasOtherAttempts?: boolean;
  readonly storeFails?: boolean;
  /** The ids of orders. */
  readonly takenOver?: readonly string[];
}

/** Answers a create of order 1, with a key, and an update of order 2, whose events have these fates. */
const answer = async (fates: readonly Fate[], now: Circumstances = {}) => {
  const requests = [keyed('a', create(1)), update(2, 'confirmed')];
  const rows = [creation(1), confirmation(2, 2)];
  const queue = createPartitionQueue(0, rows);
  const events = rows.map((row, n) => {
    const request = requests[n] ?? create(0);
    const waiting = waitingFor(request, { answered: now.wasAnswered === true });
    return { row, state: STATE, previous: n === 0 ? null : STATE, entry: { request, waiting, queue } };
  });
  const answers = new Map<string, Answer>();
  const acknowledged: unknown[] = [];
  const taken: CartBatch['takenBack'][] = [];
  const { logger, lines } = createTestLog();
  const parts = {
    room: {
      answer: ({ request }: Waiting, text: Answer) => answers.set(request.command.orderId, text),
      hasOtherAttempts: () => now.hasOtherAttempts === true,
      isDoubted: () => now.isDoubted === true,
    },
    settlements: { acknowledged: (...args: unknown[]) => acknowledged.push(args) },
    transactions: {
      commit: ({ takenBack }: CartBatch) => {
        taken.push(takenBack);
        const takenOver = new Set(now.takenOver);
        return now.storeFails === true
          ? Promise.reject(new Error('full'))
          : Promise.resolve({ lost: new Set(), takenOver });
      },
    },
    logger,
  } as unknown as Parameters<typeof createFateAnswers>[0];
  await createFateAnswers(parts)({ topic: A_TOPIC, queues: [queue], events, fates });
  return { answers: [...answers.values()], acknowledged, taken, rows, left: unsettledIn([queue]), lines };
};

const outcomes = (answers: readonly Answer[]) =>
  answers.map((given) => (given.kind === 'failed' ? given.outcome : given.kind));

describe('an acknowledged event', () => {
  test('leaves the outbox, and its client gets a success', async () => {
    const { answers, acknowledged, left, taken, rows } = await answer([ACKNOWLEDGED, ACKNOWLEDGED]);
    assert.deepEqual([answers, left, taken], [[DONE, DONE], [], []]);
    assert.deepEqual(
      acknowledged,
      rows.map((row) => [row, ACKNOWLEDGED, A_TOPIC, true]),
    );
  });

  for (const now of [{ wasAnswered: true }, { isDoubted: true }]) {
    test(`leaves a client without its success: ${JSON.stringify(now)}`, async () => {
      const { acknowledged } = await answer([ACKNOWLEDGED, ACKNOWLEDGED], now);
      assert.deepEqual(
        acknowledged.map((args) => (args as unknown[])[3]),
        [false, false],
      );
    });
  }
});

describe('an event that is certainly not written', () => {
  test('is taken back with its key, and then its client is answered that nothing was done', async () => {
    const { answers, taken, left, rows } = await answer([NOT_WRITTEN, REFUSED]);
    assert.deepEqual(
      taken.flat().map(({ row, state, previous }) => ({ row, state, previous })),
      rows.map((row, n) => ({ row, state: STATE, previous: n === 0 ? null : STATE })),
    );
    assert.deepEqual(left, []);
    assert.deepEqual(answers, [
      failed('KafkaBrokersUnavailable', 'not_created', 'the event was not written: down'),
      failed(
        'KafkaBrokersUnavailable',
        'not_updated',
        'Kafka refuses this event, and sending it again is of no use: too large',
      ),
    ]);
  });

  test('is taken back beside others that are acknowledged', async () => {
    const { answers, taken, left } = await answer([ACKNOWLEDGED, NOT_WRITTEN]);
    assert.deepEqual([outcomes(answers), taken.length, left], [['done', 'not_updated'], 1, []]);
  });

  test('leaves the outcome unknown if another attempt at the request may do what this one denies', async () => {
    const { answers, left } = await answer([NOT_WRITTEN, NOT_WRITTEN], { hasOtherAttempts: true });
    assert.deepEqual([outcomes(answers), left], [['unknown', 'unknown'], []]);
  });

  test('leaves the outcome unknown if another instance has taken it over', async () => {
    const { answers, left } = await answer([NOT_WRITTEN, NOT_WRITTEN], { takenOver: ['ORD-1', 'ORD-2'] });
    assert.deepEqual([outcomes(answers), left], [['unknown', 'unknown'], []]);
  });

  test('stays, to be relayed, if its client was answered meanwhile', async () => {
    const { taken, left } = await answer([NOT_WRITTEN, NOT_WRITTEN], { wasAnswered: true });
    assert.deepEqual([taken, left], [[], [1, 2]]);
  });

  test('stays if the store fails to take it back: the outcome is unknown', async () => {
    const { answers, left, lines } = await answer([NOT_WRITTEN, NOT_WRITTEN], { storeFails: true });
    assert.deepEqual(
      [outcomes(answers), left],
      [
        ['unknown', 'unknown'],
        [1, 2],
      ],
    );
    assert.deepEqual(
      lines.map(({ level, msg, err }) => [level, msg, (err as Error).message]),
      [['error', 'the store failed to take back events; they stay in the outbox and will be published', 'full']],
    );
  });
});

describe('an event whose fate is unknown', () => {
  test('stays, and its client is answered `unknown` with the reason', async () => {
    const { answers, taken, left } = await answer([UNKNOWN]);
    assert.deepEqual([taken, left], [[], [1, 2]]);
    const detail = 'Kafka did not acknowledge the event: ';
    assert.deepEqual(answers, [
      failed('KafkaTimeout', 'unknown', `${detail}no answer`),
      failed('KafkaTimeout', 'unknown', `${detail}the broker returned no fate`),
    ]);
  });
});
