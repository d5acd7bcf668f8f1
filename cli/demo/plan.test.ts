import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ORDER_ID_PATTERN } from '#kafka_common/models.ts';
import { type Mix, mixOption } from './mix.ts';
import { planOrder, type PlanOptions } from './plan.ts';

const OPTIONS: PlanOptions = { seed: '1', run: '42', mix: mixOption.read(undefined), pauseMs: 100 };

const plansOf = (changes: Partial<PlanOptions> = {}, n = 500) =>
  Array.from({ length: n }, (_, number) => planOrder({ ...OPTIONS, ...changes }, number));

const only = (life: keyof Mix): Mix => mixOption.read(`${life}=1`);

/** The last statuses of orders that have this life. */
const ends = (life: keyof Mix) => new Set(plansOf({ mix: only(life) }, 200).map(({ steps }) => steps.at(-1)?.status));

describe('planOrder', () => {
  test('gives the same plan for the same seed and run', () => {
    assert.deepEqual(plansOf(), plansOf());
  });

  test('gives the same plan under other ids for the same seed in another run', () => {
    const asInFirst = JSON.stringify(plansOf({ run: '43' })).replaceAll(/43(\d{9})/g, '42$1');
    assert.equal(asInFirst, JSON.stringify(plansOf()));
  });

  test('gives other plans for another seed', () => {
    assert.notDeepEqual(plansOf({ seed: '2' }, 20), plansOf({}, 20));
  });

  test('gives each order its own id, which is valid even in the longest run', () => {
    const ids = plansOf({ run: '9'.repeat(30) }).map(({ orderId }) => orderId);
    assert.equal(new Set(ids).size, ids.length);
    for (const id of ids) assert.match(id, new RegExp(ORDER_ID_PATTERN));
  });

  test('gives every request of a run its own key, except where it reuses one on purpose', () => {
    const requests = plansOf({}, 2_000).flatMap(({ steps }) =>
      steps.map(({ request, refusal }) => ({ request, refusal })),
    );
    const keys = requests.filter(({ refusal }) => refusal?.status !== 422).map(({ request }) => request.idempotencyKey);
    assert.equal(new Set(keys).size, keys.length);
  });

  test('follows the mix', () => {
    for (const life of ['complete', 'cancel', 'open', 'retry', 'wrong'] as const)
      assert.ok(plansOf({ mix: only(life) }, 50).every((plan) => plan.life === life));
    const cancelled = plansOf({ mix: mixOption.read('cancel=1,complete=3') }, 2_000).filter(
      ({ life }) => life === 'cancel',
    );
    assert.ok(Math.abs(cancelled.length - 500) < 100, String(cancelled.length));
  });

  test('ends a complete life with completed, a cancelled one with cancelled, and an open one with neither', () => {
    assert.deepEqual([...ends('complete')], ['completed']);
    assert.deepEqual([...ends('retry')], ['completed']);
    assert.deepEqual([...ends('cancel')], ['cancelled']);
    assert.ok(!ends('open').has('completed') && !ends('open').has('cancelled'));
  });

  test('plans every kind of refusal, one for each wrong life', () => {
    const refusals = plansOf({ mix: only('wrong') }).map(({ steps }) =>
      steps.flatMap(({ refusal }) => refusal?.code ?? []),
    );
    assert.ok(refusals.every((codes) => codes.length === 1));
    assert.deepEqual(
      new Set(refusals.flat()),
      new Set(['ValidationFailed', 'OrderNotFound', 'StatusNotAllowed', 'OrderAlreadyExists', 'IdempotencyKeyReused']),
    );
  });
});

describe('--mix', () => {
  for (const given of ['', 'complete', 'complete=', 'complete=-1', 'some=1', 'complete=0', 'complete=1;cancel=1']) {
    test(`refuses ${JSON.stringify(given)}`, () => {
      assert.throws(() => mixOption.read(given), /must be such as complete=60,wrong=5/);
    });
  }
});
