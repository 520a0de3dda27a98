// What the tests of a file share: one Clew with traces, one browser, and a page
// at a time that must not complain.
import assert from 'node:assert/strict';
import { after, afterEach, before } from 'node:test';
import { newPage, startBrowser } from './browser.mjs';
import { startClew } from './clew.mjs';
import { bigTrace, oddTrace } from './traces.mjs';

/** IDs of the traces that every Clew here has. */
export const odd = '0dd'.padEnd(32, '0');
export const big = 'b16'.padEnd(32, '0');

/** Spans of the big one. */
export const bigSpans = 10_000;

/** Starts everything before the tests of a file and ends it after them; fill
 * sends traces to Clew. */
export function fixture(fill = sendTraces) {
  const f = {
    clew: null,
    browser: null,
    /** Summary of a trace of `clew load` with several services and an error. */
    shop: null,
    page: null,
    complaints: null,
    /** Opens a page in a browser context of its own. */
    async open(path, options, origin = f.clew.ui) {
      await f.leave();
      assert.deepEqual(f.complaints ?? [], []);
      Object.assign(f, await newPage(f.browser, origin, options));
      await f.page.goto(origin + path);
    },
    close: null,
    /** Closes the page; its complaints stay. */
    async leave() {
      await f.close?.();
      f.close = null;
    },
    rows: () => f.page.locator('.rows [role=row]'),
    selected: () => f.page.locator('.row.selected .name'),
  };
  before(async () => {
    f.clew = await startClew();
    f.browser = await startBrowser();
    f.shop = await fill(f.clew);
  });
  afterEach(async () => {
    await f.leave();
    const complaints = f.complaints ?? [];
    f.complaints = null;
    assert.deepEqual(complaints, []);
  });
  after(async () => {
    await f.browser?.close();
    await f.clew?.stop();
  });
  return f;
}

/** Sends odd, big and the shop's traces; returns the summary of one of those. */
async function sendTraces(clew) {
  await clew.push(oddTrace(odd, big));
  await clew.push(bigTrace(bigSpans, big));
  clew.load(20_000);
  const shop = (await clew.summaries())
    .filter((s) => s.spanCount >= 20 && s.spanCount < 1000 && s.errorSpanCount > 0 && s.services.length >= 4)
    .sort((a, b) => b.spanCount - a.spanCount)[0];
  assert.ok(shop, 'clew load made no trace that fits');
  return shop;
}
