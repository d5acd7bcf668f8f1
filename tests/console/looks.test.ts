import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { eventually } from '#tests/support/eventually.ts';
import { historyOf, toMessage } from '#tests/faults/direct_events.ts';
import { chromiumForTests, see, useChromium } from './chromium.ts';
import { type ConsoleSystem, startSystem } from './system.ts';

const LONG_ID = `ORD-${'1234567890'.repeat(6)}`;

/** Each view, with an element that it shows once it is loaded. */
const VIEWS = {
  '#/flow': '.latest, .chart canvas',
  '#/orders': '.list tbody tr',
  [`#/orders/${LONG_ID}`]: '.timeline li',
  '#/commands': 'form',
  '#/attention': '.list tbody tr',
  '#/attention/dead-letters': '.letter',
  '#/health': '.facts',
};

/** The part of axe's result that the tests use. */
interface Findings {
  readonly violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
}

describe('every view', chromiumForTests(), () => {
  const browser = useChromium();
  let system: ConsoleSystem;

  before(async () => {
    system = await startSystem();
    const [, orphan] = historyOf('ORD-9', ['shipped']);
    await system.publish([
      ...historyOf(LONG_ID, ['confirmed', 'cancelled']).map(toMessage),
      ...historyOf('ORD-5', ['completed']).map(toMessage),
      { key: 'ORD-1', value: 'spoilt '.repeat(100).replaceAll(' ', ''), headers: {} },
      toMessage(orphan!),
    ]);
  });

  after(() => system.stop());

  const show = async (page: Page, hash: string): Promise<void> => {
    await page.goto(`${system.url}/${hash}`);
    await page
      .locator(VIEWS[hash] ?? '')
      .first()
      .waitFor();
    await see(page, '.verdict', 'All well');
    if (hash !== '#/attention/dead-letters') return;
    const open = page.getByRole('button', { name: 'Open' });
    if ((await open.count()) > 0) await open.first().click();
    await page.getByRole('button', { name: 'Edit' }).click();
  };

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`can be used by everybody (axe), ${colorScheme}`, async () => {
      const page = await browser.open(system.url, { colorScheme });
      await page.evaluate(axe.source);
      for (const hash of Object.keys(VIEWS)) {
        await show(page, hash);
        const { violations } = (await page.evaluate('axe.run()')) as Findings;
        const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
        assert.deepEqual(
          grave.map(({ id, nodes }) => [id, ...nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`)]),
          [],
          hash,
        );
      }
    });
  }

  for (const width of [360, 768, 1280]) {
    test(`fits a page of ${width} px`, async () => {
      const page = await browser.open(system.url, { viewport: { width, height: 740 } });
      for (const hash of Object.keys(VIEWS)) {
        await show(page, hash);
        const [needed, given] = (await page.evaluate(
          '[document.documentElement.scrollWidth, document.documentElement.clientWidth]',
        )) as [number, number];
        assert.ok(needed <= given, `${hash} needs ${needed} px of ${given}`);
      }
    });
  }

  test('can be used with the keyboard alone, with a visible focus', async () => {
    const page = await browser.open(`${system.url}/#/flow`);
    await see(page, '.verdict', 'All well');
    const focused = async (): Promise<string> =>
      String(await page.evaluate('document.activeElement.textContent || document.activeElement.name'));
    const tabTo = async (text: string): Promise<void> => {
      for (let n = 0; n < 60; n += 1) {
        await page.keyboard.press('Tab');
        if ((await focused()).trim() !== text) continue;
        assert.notEqual(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle'), 'none');
        return;
      }
      assert.fail(`no Tab leads to ${text}`);
    };
    await page.keyboard.press('Tab');
    assert.equal(await focused(), 'Skip to the content');
    await tabTo('Orders');
    await page.keyboard.press('Enter');
    await page.locator('.list tbody tr').nth(1).waitFor();
    const [first = '', second = ''] = await page.locator('.list tbody th').allTextContents();
    await tabTo(first);
    await page.keyboard.press('ArrowDown');
    assert.equal(await focused(), second);
    await page.keyboard.press('Enter');
    await see(page, '.order h2', second);

    await page.goto(`${system.url}/#/commands`);
    await tabTo('order_id');
    await page.keyboard.press('ControlOrMeta+A');
    await page.keyboard.type('777');
    await page.keyboard.press('Enter');
    await see(page, '.commands', '"orderId": "ORD-777"');
  });

  test('moves nothing if the user prefers reduced motion', async () => {
    const page = await browser.open(system.url, { reducedMotion: 'reduce' });
    await eventually(async () => {
      const moving = await page.evaluate(
        `[...document.querySelectorAll('*')].filter((element) => {
          const { transitionDuration, animationName } = getComputedStyle(element);
          return animationName !== 'none' || transitionDuration.split(', ').some((time) => time !== '0s');
        }).length`,
      );
      assert.equal(moving, 0);
    });
  });
});
