// The search page in a real browser, with traces from a real Clew.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { basePath } from './lib/clew.mjs';
import { fixture } from './lib/fixture.mjs';
import { lost, markup, needle, sendSearchTraces } from './lib/search-traces.mjs';

const f = fixture(sendSearchTraces);
let page;

/** Opens the search page and waits for what it finds. */
async function open(query = '', wait = '.trace-row .trace-duration') {
  await f.open(`/search${query}`);
  page = f.page;
  await page.locator(wait).first().waitFor();
}

const rows = () => page.locator('.trace-list .trace-row');
const ids = () => rows().evaluateAll((els) => els.map((e) => e.dataset.trace));
const query = () => Object.fromEntries(new URL(page.url()).searchParams);
const said = () => page.locator('.results-head h2').innerText();
const find = () => page.getByRole('button', { name: 'Find traces' }).click();
const field = (name) => page.getByLabel(name, { exact: true });
const focused = () => page.evaluate(() => document.activeElement.dataset.trace ?? document.activeElement.id);
/** Waits until the list has these traces and no other. */
const onlyRows = (want) => page.waitForFunction((w) => [...document.querySelectorAll('.trace-list .trace-row')].map((e) => e.dataset.trace).join() === w, [want].flat().join());

describe('form', () => {
  test('without parameters it searches the last hour of all services', async () => {
    await open();
    assert.equal(await said(), 'The newest 100 traces');
    assert.match(await page.locator('.results-words').innerText(), /^all services, last hour · show up to 500/);
    assert.equal(new URL(page.url()).search, '');
    const want = (await f.clew.summaries(100)).map((s) => s.traceId);
    assert.deepEqual(await ids(), want);
    assert.equal(await page.title(), 'all services, last hour · Clew');
    await page.getByRole('link', { name: 'show up to 500' }).click();
    await page.locator('h2', { hasText: 'The newest 500' }).waitFor();
    assert.equal(query().limit, '500');
  });

  test('a service is completed by keyboard', async () => {
    await open();
    await page.keyboard.press('/');
    assert.equal(await focused(), 'service');
    await page.keyboard.press('ArrowDown');
    const options = page.locator('.combobox-list li');
    assert.equal(await options.first().innerText(), 'All services');
    assert.ok(await options.count() > 20);
    await page.keyboard.type('ca');
    assert.deepEqual(await options.allInnerTexts(), ['cart', 'catalog']);
    await page.keyboard.press('ArrowDown');
    assert.equal(await field('Service').getAttribute('aria-activedescendant'), await options.nth(1).getAttribute('id'));
    await page.keyboard.press('ArrowDown'); // around
    await page.keyboard.press('Enter');
    assert.equal(await field('Service').inputValue(), 'cart');
    assert.equal(await options.count(), 0);
    await page.keyboard.press('Enter');
    await page.waitForURL(/service=cart/);
    await page.waitForFunction(() => [...document.querySelectorAll('.trace-row')].every((r) => [...r.querySelectorAll('.chip')].some((c) => /\bcart\b/.test(c.title))));
    await page.keyboard.type('nobody'); // the text is selected when the field gets the focus only
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Clear: all services' }).click();
    assert.equal(await field('Service').inputValue(), '');
  });

  test('operations are those of the service, with their kinds', async () => {
    await open('?service=haystack');
    await field('Operation').click();
    await page.locator('.combobox-list li', { hasText: 'GET /needle' }).waitFor();
    assert.deepEqual((await page.locator('.combobox-list li').allInnerTexts()).map((t) => t.replace(/\s+/g, ' ')), ['All operations', 'GET /needle server', 'lost server']);
    await page.locator('.combobox-list li', { hasText: 'GET /needle' }).click();
    await find();
    await onlyRows(needle);
    assert.equal(query().operation, 'GET /needle');
  });

  test('tags are found, and errors only', async () => {
    await open();
    await field('Tags').fill('http.status_code=500 user.id="a b"');
    await page.getByLabel('Errors only').check();
    assert.equal(await field('Tags').inputValue(), 'http.status_code=500 user.id="a b" error=true');
    await field('Tags').press('Enter');
    await onlyRows(needle);
    assert.deepEqual(JSON.parse(query().tags), { 'http.status_code': '500', 'user.id': 'a b', error: 'true' });
    await field('Tags').fill('0123456789abcdef0123456789abcdef');
    assert.match(await page.getByRole('link', { name: 'open the trace' }).getAttribute('href'), /\/trace\/0123456789abcdef0123456789abcdef$/);
  });

  test('durations', async () => {
    await open();
    await field('Min duration').fill('1.4s');
    await field('Max duration').fill('1.6 s');
    await field('Service').fill('haystack');
    await find();
    await onlyRows(needle);
    assert.deepEqual([query().minDuration, query().maxDuration], ['1.4s', '1.6 s']);
  });

  test('mistakes are said in words beside the field, which gets the focus', async () => {
    await open();
    const before = page.url();
    await field('Min duration').fill('5');
    await field('Tags').fill('error');
    await field('Limit').fill('some');
    await field('Tags').press('Enter');
    const wrong = page.locator('.field.wrong');
    assert.deepEqual(await wrong.locator('.field-said').allInnerTexts(), ['error has no value: write error=value.', 'Add a unit: 5ms or 5s.', 'Write a whole number from 1.']);
    assert.equal(await focused(), 'tags');
    assert.equal(await field('Tags').getAttribute('aria-describedby'), 'tags-said');
    assert.equal(page.url(), before);
    await field('Tags').fill('error=true');
    assert.equal(await wrong.count(), 2);
    await page.goto(`${f.clew.ui}/search?service=cart&minDuration=fast`);
    await page.getByText('Nothing was searched for').waitFor();
    assert.match(await wrong.locator('.field-said').innerText(), /such as 1\.2s/);
  });

  test('time ranges, relative and absolute', async () => {
    await open('?service=haystack');
    await field('Time range').selectOption('15m');
    await find();
    await onlyRows([needle, lost]);
    assert.equal(query().lookback, '15m');
    await field('Time range').selectOption('custom');
    assert.match(await page.locator('.moments').innerText(), /Local time: \S+/);
    const from = await field('From').inputValue();
    const to = await field('To').inputValue();
    assert.ok(Math.abs(new Date(to) - new Date(from) - 900e3) <= 2000, `${from} ${to}`);
    // From a second after the start of the trace that is not to be found.
    const start = Number((await f.clew.summaries(1500)).find((s) => s.traceId === lost).minStartTimeUnixNano.slice(0, -6));
    await field('From').fill(await page.evaluate((ms) => { const d = new Date(ms); return new Date(d - d.getTimezoneOffset() * 60e3).toISOString().slice(0, 19); }, start + 1000));
    await find();
    await onlyRows(needle);
    assert.equal(query().start, String(Math.floor((start + 1000) / 1000) * 1e6));
    await page.reload();
    await onlyRows(needle);
    await field('To').fill(await field('From').inputValue());
    await find();
    assert.match(await page.locator('.field.wrong').innerText(), /The end is not after the start/);
  });
});

describe('results', () => {
  test('a row says what the trace is', async () => {
    await open('?service=haystack');
    const row = page.locator(`[data-trace="${needle}"]`);
    assert.match((await row.innerText()).replace(/\s+/g, ' '), /^haystack ?(: )?GET \/needle 1 error haystack ?1 1 span 1\.5 s \d+ minutes? ago \d\d:\d\d:\d\d\.\d{3}$/);
    assert.match(await row.locator('.trace-start').getAttribute('title'), /^\d{4}-\d\d-\d\d \d\d:/);
    assert.equal(new URL(await row.getAttribute('href')).pathname, `/trace/${needle}`);
    const other = (await page.locator(`[data-trace="${lost}"]`).innerText()).replace(/\s+/g, ' ');
    assert.match(other, /^No root span 1 orphan/);
    const [bar, track] = await row.locator('.duration-bar').evaluate((e) => [e.firstChild.clientWidth, e.clientWidth]);
    assert.equal(bar, track);
  });

  test('names are text', async () => {
    await open(`?traceID=${markup}`);
    assert.match(await rows().innerText(), /<b>markup<\/b>\s*:?\s*<img src=x onerror=alert\(1\)>/);
  });

  test('newest or slowest first, kept in the address', async () => {
    await open('?limit=50');
    const newest = await ids();
    await page.getByRole('button', { name: 'Slowest' }).click();
    await page.waitForURL(/sort=slowest/);
    const slowest = await ids();
    assert.notDeepEqual(slowest, newest);
    assert.deepEqual([...slowest].sort(), [...newest].sort());
    const all = new Map((await f.clew.summaries(1500)).map((s) => [s.traceId, BigInt(s.maxEndTimeUnixNano) - BigInt(s.minStartTimeUnixNano)]));
    for (let i = 1; i < slowest.length; i++) assert.ok(all.get(slowest[i]) <= all.get(slowest[i - 1]));
    await page.reload();
    await rows().first().waitFor();
    assert.deepEqual(await ids(), slowest);
    await page.locator('.results-head h2').click();
    await page.keyboard.press('o');
    await page.waitForURL((u) => !u.searchParams.has('sort'));
    assert.deepEqual(await ids(), newest);
  });

  test('keys go through the rows and open one; back returns to it', async () => {
    await open('?limit=150');
    const list = (await f.clew.summaries(150)).map((s) => s.traceId);
    assert.equal(await rows().count(), 100); // more come with scrolling
    for (const [key, at] of [['ArrowDown', 0], ['ArrowDown', 1], ['j', 2], ['k', 1], ['ArrowUp', 0], ['PageDown', 10], ['End', 149], ['ArrowDown', 149], ['Home', 0]]) {
      await page.keyboard.press(key);
      await page.waitForFunction((id) => document.activeElement.dataset.trace === id, list[at], { timeout: 5000 });
    }
    await page.keyboard.press('PageDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/trace/${list[10]}`);
    let asked = 0;
    page.on('request', (r) => { asked += Number(r.url().includes('trace-summaries')); });
    await page.goBack();
    await page.waitForFunction((id) => document.activeElement.dataset.trace === id, list[10]);
    assert.equal(asked, 0); // the list is as it was
  });

  test('back and forward go through searches', async () => {
    await open('?service=haystack');
    await field('Operation').fill('lost');
    await find();
    await onlyRows(lost);
    await field('Operation').fill('GET /needle');
    await find();
    await onlyRows(needle);
    await page.goBack();
    await onlyRows(lost);
    assert.equal(await field('Operation').inputValue(), 'lost');
    await page.goBack();
    await onlyRows([needle, lost]);
    assert.equal(await field('Operation').inputValue(), '');
    await page.goForward();
    await onlyRows(lost);
  });

  test('it searches again when asked, and by itself', async () => {
    await open('?service=haystack');
    let asked = 0;
    page.on('request', (r) => { asked += Number(r.url().includes('trace-summaries')); });
    await page.getByRole('button', { name: 'Search again', exact: true }).click();
    await page.waitForFunction(() => !document.querySelector('.progress'));
    assert.ok(asked >= 1); // one that is cancelled at once may not have been sent
    const before = asked;
    await find();
    await page.waitForFunction(() => !document.querySelector('.progress'));
    assert.equal(asked, before + 1);
    await page.getByLabel('Search again by itself').selectOption('5');
    await page.waitForRequest(/trace-summaries/, { timeout: 8000 });
  });
});

describe('plot', () => {
  const plot = () => page.locator('.scatter-plot');

  async function drag(x0, y0, x1, y1) {
    const b = await plot().boundingBox();
    await page.mouse.move(b.x + x0 * b.width, b.y + y0 * b.height);
    await page.mouse.down();
    await page.mouse.move(b.x + x1 * b.width, b.y + y1 * b.height, { steps: 4 });
    await page.mouse.up();
  }

  test('has a point for each trace and says what it shows', async () => {
    await open('?limit=300');
    assert.equal(await plot().locator('svg > .point').count(), 300);
    const errors = (await f.clew.summaries(300)).filter((s) => s.errorSpanCount).length;
    assert.equal(await plot().locator('svg > .point.error').count(), errors);
    assert.match(await page.getByRole('img', { name: /^Duration over time of 300 traces/ }).getAttribute('aria-label'), new RegExp(`, ${errors} with errors\\. The list below`));
    const log = await plot().locator('text').allTextContents();
    await page.getByRole('button', { name: 'Linear' }).click();
    await page.waitForURL(/scale=linear/);
    assert.notDeepEqual(await plot().locator('text').allTextContents(), log);
  });

  test('dragging selects, and the area can be searched', async () => {
    await open('?service=checkout&limit=1500');
    await drag(0.3, 0.05, 0.6, 0.55);
    assert.match(await said(), /^\d+ of \d+ traces in the selected area$/);
    const chosen = await ids();
    assert.ok(chosen.length > 3 && chosen.length < 100, `${chosen.length} chosen`);
    await page.locator('.results-head h2').click();
    await page.keyboard.press('Escape');
    assert.match(await said(), /^\d+ traces$/);
    await drag(0.6, 0.55, 0.3, 0.05); // the other way round
    assert.deepEqual(await ids(), chosen);
    await page.getByRole('button', { name: 'Search this area' }).click();
    await page.waitForURL(/minDuration=/);
    await page.waitForFunction(() => document.querySelector('[aria-busy=false] h2')?.textContent.match(/^\d+ traces$/));
    const found = new Set(await ids());
    assert.deepEqual(chosen.filter((id) => !found.has(id)), []);
    assert.equal(query().lookback, 'custom');
    assert.equal(await field('Min duration').inputValue(), query().minDuration);
    await page.goBack();
    await page.waitForURL((u) => !u.searchParams.has('minDuration'));
  });

  test('pointing tells, a click opens', async () => {
    await open('?service=haystack');
    const point = await plot().locator('svg > .point.error').boundingBox();
    await page.mouse.move(point.x + point.width / 2, point.y + point.height / 2);
    assert.match(await page.locator('.tip').innerText(), /haystack: GET \/needle\s*1\.5 s · 1 span · 1 error/);
    assert.match(await page.locator(`[data-trace="${needle}"]`).getAttribute('class'), /pointed/);
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForURL(`**/trace/${needle}`);
  });
});

describe('links', () => {
  test('those of Jaeger open here', async () => {
    const now = Date.now() * 1000;
    const all = await f.clew.summaries(1500);
    const start = (id) => Number(all.find((s) => s.traceId === id).minStartTimeUnixNano.slice(0, -3));
    const links = [
      ['?service=haystack&lookback=2d', [needle, lost]],
      [`?end=${now}&limit=20&lookback=1h&maxDuration&minDuration&operation=all&service=haystack&start=${now - 3600e6}`, [needle, lost]],
      ['?service=haystack&tags=%7B%22error%22%3A%22true%22%7D', [needle]],
      ['?service=haystack&tag=user.id:a%20b&lookback=custom', [needle]],
      [`?service=haystack&start=${start(lost) + 1e6}`, [needle]],
      ['?tags={"user.id":"a b"}', [needle]],
    ];
    for (const [link, want] of links) {
      await open(link);
      await onlyRows(want);
    }
  });

  test('traces by ID, and those that are not stored', async () => {
    await open(`?traceID=c1e5&traceID=${needle}&span=00000000000000a1@${needle}&traceID=dead`);
    assert.deepEqual(await ids(), [needle, lost]);
    assert.match(await page.locator('.banner').innerText(), /One trace is not stored here: 0+dead/);
    assert.match(await rows().first().innerText(), /GET \/needle[\s\S]*1 error[\s\S]*1\.5 s/);
    assert.match(await page.locator(`[data-trace="${needle}"]`).getAttribute('href'), /uiFind=00000000000000a1/);
    const first = (await f.clew.summaries(1))[0];
    await page.goto(`${f.clew.ui}/search?traceID=${first.traceId}`);
    await onlyRows(first.traceId);
    assert.equal((await page.locator('.trace-spans').innerText()).replace(/\D/g, ''), String(first.spanCount));
    assert.equal(await page.locator('.trace-headline').innerText().then((t) => t.replace(/\s+/g, ' ').startsWith(first.rootServiceName)), true);
  });

  test('a trace is opened by its ID', async () => {
    await open();
    await page.getByLabel('Trace ID').fill('cart');
    await page.keyboard.press('Enter');
    assert.equal(await page.getByRole('alert').innerText(), 'A trace ID has 1 to 32 hexadecimal digits.');
    await page.getByLabel('Trace ID').fill(needle.toUpperCase());
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/trace/${needle}`);
  });

  test('everything works below a path', async () => {
    await f.open(`${basePath}/search?service=haystack`);
    page = f.page;
    await onlyRows([needle, lost]);
    await field('Operation').fill('lost');
    await find();
    await onlyRows(lost);
    assert.equal(new URL(page.url()).pathname, `${basePath}/search`);
    assert.equal(new URL(await rows().getAttribute('href')).pathname, `${basePath}/trace/${lost}`);
  });
});
