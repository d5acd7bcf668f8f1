import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Page } from 'playwright-core';
import type { Message } from '#kafka_common/broker.ts';
import { historyOf, toMessage } from '#tests/faults/direct_events.ts';
import { chromiumForTests, see, useChromium } from './chromium.ts';
import { type ConsoleSystem, startSystem } from './system.ts';

const letter = (key: string, value: string): Message => ({ key, value, headers: { note: `of ${key}` } });

const SCRIPT = '<script>alert(1)</script><img src=x onerror=alert(2)>';
const HIDING = 'pay \u202egnp.exe\u202c \u0007\u200b now';
const LONG = `{"text":"${'0123456789'.repeat(99_990)}"}`;

const letterOf = (page: Page, key: string) => page.locator('.letter').filter({ hasText: `key ${key}` });

describe('the view of what needs attention', chromiumForTests(), () => {
  const browser = useChromium();
  let system: ConsoleSystem;

  before(async () => {
    system = await startSystem();
    const [, orphan] = historyOf('ORD-9', ['shipped']);
    await system.publish([
      letter('ORD-1', SCRIPT),
      letter('ORD-2', HIDING),
      letter('ORD-3', LONG),
      letter('ORD-4', 'first'),
      letter('ORD-4', 'second'),
      toMessage(orphan!),
    ]);
  });

  after(() => system.stop());

  const openLetters = async (): Promise<Page> => {
    const page = await browser.open(`${system.url}/#/attention/dead-letters`);
    await page.locator('.letter').first().waitFor();
    return page;
  };

  test('shows the pending statuses, with their age', async () => {
    const page = await browser.open(`${system.url}/#/attention`);
    await see(page, '.list tbody tr', /ORD-9\s*shipped\s*2\s*\d+ s/);
  });

  test('shows markup as text, also in the editor', async () => {
    const page = await openLetters();
    const shown = letterOf(page, 'ORD-1');
    await shown.getByRole('button', { name: 'Open' }).click();
    assert.equal(await shown.getByLabel('Content as text').last().textContent(), SCRIPT);
    await see(page, '.letter', /note\s*of ORD-1/);
    await shown.getByRole('button', { name: 'Edit' }).click();
    assert.equal(await shown.getByLabel('Value').inputValue(), SCRIPT);
    assert.equal(await page.locator('main script, main img').count(), 0);
  });

  test('shows characters that hide or reorder others by their name', async () => {
    const page = await openLetters();
    const shown = letterOf(page, 'ORD-2');
    await shown.getByRole('button', { name: 'Open' }).click();
    assert.deepEqual(await shown.locator('.hidden-character').allTextContents(), [
      'U+202E',
      'U+202C',
      'U+0007',
      'U+200B',
    ]);
    await shown.getByRole('button', { name: 'Hex' }).last().click();
    await see(page, '.hex', '70 61 79 20 e2 80 ae 67  6e 70');
  });

  test('shows the beginning of a megabyte, all of it on request, and saves it', async () => {
    const page = await openLetters();
    const shown = letterOf(page, 'ORD-3');
    await shown.getByRole('button', { name: 'Open' }).click();
    const text = shown.getByLabel('Content as text').last();
    assert.equal((await text.textContent())?.length, 4_096);
    await shown.getByRole('button', { name: 'Show all' }).click();
    assert.equal((await text.textContent())?.length, LONG.length);
    await shown.getByRole('button', { name: 'Hex' }).last().click();
    assert.ok(((await shown.getByLabel('Content as hex').textContent())?.length ?? 0) < 20_000);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      shown.getByRole('button', { name: 'Download' }).last().click(),
    ]);
    assert.match(download.suggestedFilename(), /^dead-letter-\d+-value\.bin$/);
  });

  test('redrives an edited letter, and keeps the result', async () => {
    const page = await openLetters();
    const [created] = historyOf('ORD-1', []);
    const shown = letterOf(page, 'ORD-1');
    await shown.getByRole('button', { name: 'Open' }).click();
    await shown.getByRole('button', { name: 'Edit' }).click();
    await shown.getByLabel('Value').fill(toMessage(created!).value);
    await shown.getByRole('button', { name: 'Redrive edited' }).click();
    await see(page, '[role=status]', /Redriven: 1 published, 0 failed, 0 skipped/);
    await letterOf(page, 'ORD-1').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Redriven dead letters' }).click();
    await see(page, '.letter', /key\s*ORD-1.*applied redriven \d{4}-/s);
    await page.goto(`${system.url}/#/orders/ORD-1`);
    await see(page, '.order', 'CUST-00042');
  });

  test('redrives a selection as it is, and all letters of a key', async () => {
    const page = await openLetters();
    for (const key of ['ORD-2', 'ORD-3']) await letterOf(page, key).getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Redrive 2 selected' }).click();
    await see(page, '[role=status]', /Redriven: 2 published, 0 failed, 0 skipped/);
    await page.getByText('Redrive all that match').click();
    await page.getByLabel(/^Key/).fill('ORD-4');
    await page.getByRole('button', { name: 'Redrive all that match' }).click();
    await see(page, '[role=status]', /Redriven: 2 published, 0 failed, 0 skipped/);
    await page.goto(`${system.url}/#/attention/redriven`);
    await see(page, '.letter', /dead_letter redriven .*stored as a new dead letter/s);
  });
});
