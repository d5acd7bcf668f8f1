import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before } from 'node:test';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** A real browser for tests: the system's Chromium, or the one at CHROMIUM_PATH. */

const path = process.env['CHROMIUM_PATH'] || '/usr/bin/chromium';

/** Options of node:test: skips with the reason if there is no browser. */
export const chromiumForTests = (): { skip: string | false } => {
  if (existsSync(path)) return { skip: false };
  const reason = `there is no Chromium at ${path}; install it, or set CHROMIUM_PATH`;
  if (process.env['REQUIRE_CHROMIUM'] === '1') throw new Error(`REQUIRE_CHROMIUM=1, but ${reason}`);
  return { skip: reason };
};

export const launchChromium = (): Promise<Browser> => chromium.launch({ executablePath: path });

/** How long a test waits for something to appear. */
const PATIENCE_MS = 10_000;

/** A browser for the tests of a file. Each page has its own session. A test fails if its page has an error. */
export const useChromium = () => {
  let browser: Browser;
  const faults: string[] = [];

  before(async () => {
    browser = await launchChromium();
  });

  afterEach(() => assert.deepEqual(faults.splice(0), []));
  after(() => browser.close());

  return {
    async open(url: string, options: BrowserContextOptions = {}): Promise<Page> {
      const context = await browser.newContext(options);
      context.setDefaultTimeout(PATIENCE_MS);
      const page = await context.newPage();
      page.on('pageerror', (error) => faults.push(String(error)));
      page.on('dialog', (dialog) => {
        faults.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      // Failing calls are part of the tests; a breach of the page's own policy is an error.
      page.on('console', (message) => {
        if (/content security policy|trusted/i.test(message.text())) faults.push(message.text());
      });
      await page.goto(url);
      return page;
    },
  };
};

/** Waits until an element that matches holds the text. */
export const see = (page: Page, selector: string, text: string | RegExp, timeout = PATIENCE_MS): Promise<void> =>
  page.locator(selector).filter({ hasText: text }).first().waitFor({ timeout });
