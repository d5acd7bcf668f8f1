import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { OrderEvent } from '#kafka_common/events.ts';
import { type FoldedOrder, foldEvent } from '#kafka_common/order_fold.ts';
import type { CartStore } from '#cart_service/store/cart_store.ts';
import { statusUpdated } from '#tests/support/events.ts';
import { eventually } from '#tests/support/eventually.ts';
import {
  type Cart,
  create,
  deleteTopic,
  idBeside,
  startCart,
  update,
  writeAsAnother,
} from '#tests/support/publisher_under_test.ts';
import { tempDir } from '#tests/support/temp_dir.ts';

const BESIDE = `ORD-${idBeside(1)}`;
const FOREIGN = statusUpdated('ORD-1', 2, 'shipped', 'foreign');
/** The Cart Service has read the log up to this event once it knows its order. */
const LAST = statusUpdated(BESIDE, 7, 'cancelled', 'last');

const start = async (t: TestContext, directory: string) => {
  let opened: CartStore | undefined;
  const cart = await startCart(t, directory, { wrapStore: (store) => (opened = store) });
  const statusOf = async (orderId: string) => (await opened?.load([orderId], []))?.orders.get(orderId)?.status;
  const statusOnceRead = async () => {
    await eventually(async () => assert.equal(await statusOf(BESIDE), LAST.status), 10_000);
    return statusOf('ORD-1');
  };
  return { ...cart, statusOnceRead };
};

const shownBy = async (cart: Cart): Promise<string | undefined> => {
  let shown: FoldedOrder | undefined;
  for (const event of await cart.log())
    if (event.orderId === 'ORD-1') shown = foldEvent(shown, event, false).order ?? shown;
  return shown?.status;
};

/** A creation by the service, its update to version 2, and events of another producer, without a pause. */
const cartWith = async (
  t: TestContext,
  directory: string,
  before: readonly OrderEvent[],
  after: readonly OrderEvent[],
) => {
  const cart = await start(t, directory);
  assert.equal(await cart.submit(create(1)), 'done');
  if (before.length > 0) await writeAsAnother(directory, before);
  assert.equal(await cart.submit(update(1, 'confirmed')), 'done');
  await writeAsAnother(directory, after);
  return cart;
};

describe('an event of another producer with a version that the Cart Service has given', () => {
  const cases = [
    { where: 'before', before: [FOREIGN], after: [LAST], expected: 'shipped' },
    { where: 'behind', before: [], after: [FOREIGN, LAST], expected: 'confirmed' },
    {
      where: 'behind others and',
      before: [statusUpdated(BESIDE, 3, 'new')],
      after: [FOREIGN, LAST],
      expected: 'confirmed',
    },
  ];
  for (const { where, before, after, expected } of cases) {
    test(`${where} its own gives the Cart Service the status that the view shows`, async (t) => {
      const cart = await cartWith(t, tempDir(), before, after);
      assert.deepEqual([await cart.statusOnceRead(), await shownBy(cart)], [expected, expected]);
    });

    test(`${where} its own gives it that status also after a restart`, async (t) => {
      const directory = tempDir();
      await (await cartWith(t, directory, before, after)).close();
      const cart = await start(t, directory);
      assert.deepEqual([await cart.statusOnceRead(), await shownBy(cart)], [expected, expected]);
    });
  }

  test('changes nothing in a topic that was made again', async (t) => {
    const directory = tempDir();
    const first = await cartWith(t, directory, [statusUpdated(BESIDE, 3, 'new')], []);
    await first.close();
    deleteTopic(directory);
    await writeAsAnother(directory, [FOREIGN, LAST]);
    const second = await start(t, directory);
    assert.equal(await second.statusOnceRead(), 'confirmed');
  });
});
