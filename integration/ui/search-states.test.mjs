// The search page while it waits, when there is nothing, when something is wrong;
// and what axe says to each of its faces.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { axe } from './lib/axe.mjs';
import { fixture } from './lib/fixture.mjs';
import { sendSearchTraces } from './lib/search-traces.mjs';

const f = fixture(sendSearchTraces);
let page;

/** A page that has not asked for anything yet. */
async function tab(options) {
  await f.open('/clew.svg', options);
  page = f.page;
}

const open = (query) => page.goto(`${f.clew.ui}/search${query}`);
const summaries = /api\/v3\/trace-summaries/;

describe('states', () => {
  test('nothing found: says what was searched and what else to try', async () => {
    await tab();
    await open('?service=haystack&operation=nothing&lookback=15m&minDuration=1ms');
    const message = page.locator('.message');
    await message.waitFor();
    assert.match(await message.innerText(), /No traces found\s+Searched: service haystack, operation nothing, at least 1ms, last 15 minutes\./);
    assert.deepEqual(await message.locator('a').allInnerTexts(), ['Search the last 24 hours', 'Of any duration', 'Any operation', 'All services']);
    await page.getByRole('link', { name: 'Any operation' }).click();
    await page.locator('.trace-row').first().waitFor();
  });

  test('an empty Clew tells a newcomer how to send', async () => {
    await tab();
    await page.route(/api\/v3\/services/, (r) => r.fulfill({ json: { services: [] } }));
    await page.route(summaries, (r) => r.fulfill({ json: { summaries: [] } }));
    await open('');
    await page.getByText('No spans yet').waitFor();
    assert.match(await page.locator('.message').innerText(), /OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/127\.0\.0\.1:4317/);
    assert.deepEqual(await axe(page), []);
  });

  test('an error: the message of the API, and another try', async () => {
    await tab();
    let fail = true;
    await page.route(summaries, (r) => (fail ? r.fulfill({ status: 503, json: { error: { httpCode: 503, message: 'too many searches at once: try again in a second' } } }) : r.continue()));
    await open('?service=haystack');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    assert.match(await alert.innerText(), /The search did not succeed\s+too many searches at once/);
    assert.equal(await page.getByLabel('Service', { exact: true }).inputValue(), 'haystack');
    assert.deepEqual(await axe(page), []);
    fail = false;
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.locator('.trace-row .trace-duration').first().waitFor();
    fail = true; // a list that is there stays when a refresh fails
    await page.getByRole('button', { name: 'Search again', exact: true }).click();
    await page.getByText('The traces below are those of an earlier search.').waitFor();
    assert.equal(await page.locator('.trace-row').count(), 2);
    // The browser logs answers of 503, which were meant to be.
    assert.deepEqual(f.complaints.splice(0).filter((c) => !/status of 503/.test(c)), []);
  });

  test('a partial answer says so', async () => {
    await tab();
    await page.route(summaries, async (r) => {
      const res = await r.fetch();
      await r.fulfill({ response: res, headers: { ...res.headers(), 'clew-completeness': 'incomplete; planned=5; read=4; pruned=0; failed=1' } });
    });
    await open('?service=haystack');
    await page.locator('.banner').waitFor();
    assert.match(await page.locator('.banner').innerText(), /This answer is incomplete\. 1 of 5 places where spans are kept could not be read\./);
    assert.equal(await page.locator('.trace-row').count(), 2);
  });

  test('while it loads, nothing jumps', async () => {
    await tab();
    await page.addInitScript(() => {
      globalThis.shifts = 0;
      new PerformanceObserver((l) => l.getEntries().forEach((e) => { globalThis.shifts += e.value; })).observe({ type: 'layout-shift', buffered: true });
    });
    await page.route(summaries, async (r) => { await new Promise((ok) => setTimeout(ok, 500)); await r.continue(); });
    await open('');
    await page.locator('.results[aria-busy=true] .bone').first().waitFor();
    const row = await page.locator('.trace-row').first().boundingBox();
    await page.locator('.trace-row .trace-duration').first().waitFor();
    const after = await page.locator('.trace-row').first().boundingBox();
    assert.ok(Math.abs(row.y - after.y) <= 1 && Math.abs(row.height - after.height) <= 1, `a row was at ${row.y}, ${row.height} high, and is at ${after.y}, ${after.height} high`);
    assert.ok(await page.evaluate(() => globalThis.shifts) < 0.01);
  });

  test('a new search cancels the one before', async () => {
    await tab();
    await open('?service=haystack');
    await page.locator('.trace-row .trace-duration').first().waitFor();
    const failed = [];
    page.on('requestfailed', (r) => failed.push(new URL(r.url()).searchParams.get('query.operationName')));
    let slow = true;
    await page.route(summaries, async (r) => {
      if (slow) return; // never answered
      await r.continue();
    });
    await page.getByLabel('Operation', { exact: true }).fill('lost');
    await page.keyboard.press('Enter');
    await page.locator('.progress').waitFor();
    assert.match(await page.locator('.results').getAttribute('class'), /stale/);
    slow = false;
    await page.getByLabel('Operation', { exact: true }).fill('GET /needle');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('.trace-row').length === 1);
    assert.match(await page.locator('.trace-row').innerText(), /GET \/needle/);
    assert.deepEqual(failed, ['lost']);
  });
});

describe('axe', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`is content: ${colorScheme}`, async () => {
      await tab({ colorScheme });
      await open('?service=edge&limit=1000');
      await page.locator('.trace-row .trace-duration').first().waitFor();
      assert.deepEqual(await axe(page), []);
      await page.getByLabel('Service', { exact: true }).click();
      await page.locator('.combobox-list li').first().waitFor();
      assert.deepEqual(await axe(page), []);
      await page.keyboard.press('Escape');
      await page.getByLabel('Time range').selectOption('custom');
      await page.getByLabel('Tags', { exact: true }).fill('wrong');
      await page.keyboard.press('Enter');
      await page.locator('.field.wrong').waitFor();
      assert.deepEqual(await axe(page), []);
      const plot = await page.locator('.scatter-plot').boundingBox();
      await page.mouse.move(plot.x + 100, plot.y + 20);
      await page.mouse.down();
      await page.mouse.move(plot.x + 600, plot.y + 120, { steps: 3 });
      await page.mouse.up();
      await page.getByRole('button', { name: 'Search this area' }).waitFor();
      assert.deepEqual(await axe(page), []);
      await open('?service=nobody');
      await page.locator('.message', { hasText: 'No traces found' }).waitFor();
      assert.deepEqual(await axe(page), []);
    });
  }

  test('is content on a narrow screen, which does not scroll sideways', async () => {
    await tab({ viewport: { width: 390, height: 800 } });
    await open('');
    await page.locator('.trace-row .trace-duration').first().waitFor();
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    assert.deepEqual(await axe(page), []);
  });
});
