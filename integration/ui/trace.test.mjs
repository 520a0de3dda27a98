// The trace page in a real browser, with traces from a real Clew.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { axe } from './lib/axe.mjs';
import { newPage, startBrowser } from './lib/browser.mjs';
import { basePath, startClew } from './lib/clew.mjs';
import { startProxy } from './lib/proxy.mjs';
import { longestTask } from './lib/tasks.mjs';
import { bigTrace, oddTrace } from './lib/traces.mjs';

const odd = '0dd'.padEnd(32, '0');
const big = 'b16'.padEnd(32, '0');
const spans = 10_000;

let clew;
let browser;
let shop; // a trace of `clew load`

before(async () => {
  clew = await startClew();
  browser = await startBrowser();
  await clew.push(oddTrace(odd, big));
  await clew.push(bigTrace(spans, big));
  clew.load(20_000);
  const found = await clew.summaries();
  shop = found.filter((s) => s.spanCount >= 20 && s.errorSpanCount > 0 && s.services.length >= 4).sort((a, b) => b.spanCount - a.spanCount)[0];
  assert.ok(shop, 'clew load made no trace that fits');
});

after(async () => {
  await browser?.close();
  await clew?.stop();
});

let page;
let opened;

async function open(path, options, origin = clew.ui) {
  opened = await newPage(browser, origin, options);
  page = opened.page;
  await page.goto(clew.ui === origin ? origin + path : path);
}

afterEach(async () => {
  const complaints = opened?.complaints ?? [];
  await opened?.close();
  opened = undefined;
  assert.deepEqual(complaints, []);
});

const rows = () => page.locator('.rows [role=row]');
const selected = () => page.locator('.row.selected .name');
const heading = () => page.locator('.trace-head h1').innerText();

describe('timeline', () => {
  test('shows what the trace is', async () => {
    await open(`/trace/${shop.traceId}`);
    await rows().first().waitFor();
    assert.equal((await heading()).replace(/\s+/g, ' '), `${shop.rootServiceName} ${shop.rootOperationName}`);
    const facts = Object.fromEntries(await page.locator('.facts > div').evaluateAll((els) => els.map((e) => [e.querySelector('dt').textContent, e.querySelector('dd').textContent])));
    assert.deepEqual([facts.Spans, facts.Services, facts.Errors], [shop.spanCount, shop.services.length, shop.errorSpanCount].map(String));
    assert.match(await page.title(), /· Clew$/);
    assert.equal(await page.locator('.row .mark.error').count() > 0, true);
  });

  test('goes through spans with the keyboard', async () => {
    await open(`/trace/${odd}`);
    await rows().first().waitFor();
    assert.equal(await rows().count(), 6);
    await page.keyboard.press('ArrowDown');
    assert.match(await selected().innerText(), /web\s*cart\.Get/);
    await page.keyboard.press('ArrowLeft'); // folds
    assert.equal(await rows().count(), 5);
    assert.equal(await page.locator('.row.selected').getAttribute('aria-expanded'), 'false');
    await page.keyboard.press('ArrowRight');
    assert.equal(await rows().count(), 6);
    await page.keyboard.press('ArrowRight'); // to the child
    assert.match(await selected().innerText(), /cart\s*cart\.Get/);
    await page.keyboard.press('Enter');
    await page.locator('.detail').waitFor();
    assert.match(await page.locator('.detail').innerText(), /starts 3 ms before its parent: the clocks/);
    await page.keyboard.press('Escape');
    assert.equal(await page.locator('.detail').count(), 0);
    await page.keyboard.press('{');
    assert.equal(await rows().count(), 2);
    await page.keyboard.press('}');
    assert.equal(await rows().count(), 6);
    await page.keyboard.press('End');
    assert.match(await selected().innerText(), /lost/);
    await page.keyboard.press('?');
    await page.locator('dialog[open]').waitFor();
    assert.match(await page.locator('dialog').innerText(), /Fold, or go to the parent/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('t');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await page.reload();
    await rows().first().waitFor();
    assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
  });

  test('zooms with keys, the ruler and the minimap', async () => {
    await open(`/trace/${odd}`);
    await rows().first().waitFor();
    const shown = () => page.locator('.handle').evaluateAll((els) => els.map((e) => e.getAttribute('aria-valuetext')));
    assert.deepEqual(await shown(), ['0 ns', '180 ms']);
    await page.keyboard.press('+');
    assert.deepEqual(await shown(), ['45 ms', '135 ms']);
    await page.keyboard.press('0');
    const map = await page.locator('.minimap').boundingBox();
    await page.mouse.move(map.x + map.width / 4, map.y + 20);
    await page.mouse.down();
    await page.mouse.move(map.x + map.width / 2, map.y + 20, { steps: 3 });
    await page.mouse.up();
    assert.deepEqual(await shown(), ['45 ms', '90 ms']);
    await page.locator('.handle[data-edge=from]').press('ArrowLeft');
    assert.deepEqual(await shown(), ['41.4 ms', '90 ms']);
    await page.locator('.minimap').dblclick({ position: { x: 300, y: 20 } });
    assert.deepEqual(await shown(), ['0 ns', '180 ms']);
    const ruler = await page.locator('.times').boundingBox();
    await page.mouse.move(ruler.x + ruler.width / 2, ruler.y + 10);
    await page.mouse.down();
    await page.mouse.move(ruler.x + ruler.width, ruler.y + 10, { steps: 3 });
    await page.mouse.up();
    assert.deepEqual(await shown(), ['90 ms', '180 ms']);
  });

  test(`scrolls ${spans} spans with few elements and no long task`, async (t) => {
    await open(`/trace/${big}`);
    await rows().first().waitFor();
    const ready = await page.evaluate(() => performance.now());
    await page.waitForTimeout(500);
    const { result: m, tasks, cpu, clock } = await longestTask(browser, page, () => page.evaluate(scrollThrough));
    t.diagnostic(`${spans} spans: first rows after ${Math.round(ready)} ms; while scrolling ${m.height} px in ${m.frames} frames at most ${m.rows} rows ` +
      `with ${m.elements} elements in all; longest of ${tasks} tasks ${cpu.toFixed(1)} ms (${clock.toFixed(1)} ms by the clock)`);
    assert.match(await page.locator('.facts').innerText(), /10\s000/);
    assert.ok(m.height > spans * 20, 'all spans have room');
    assert.ok(m.elements <= 300, `${m.elements} elements`);
    assert.ok(cpu <= 50, `a task took ${cpu} ms`);
    assert.equal(m.gaps, 0, 'frames with rows missing');
  });
});

/** Scrolls to the end and back, frame by frame, and counts. Runs in the page. */
async function scrollThrough() {
  const el = document.querySelector('.waterfall');
  const m = { height: el.scrollHeight, frames: 0, rows: 0, elements: 0, gaps: 0 };
  const end = el.scrollHeight - el.clientHeight;
  for (const [from, to, steps] of [[0, end, 300], [end, 0, 40]]) {
    for (let k = 0; k <= steps; k++) {
      el.scrollTop = from + ((to - from) * k) / steps;
      // The frame, and then the time after it was shown.
      await new Promise(requestAnimationFrame);
      await new Promise((done) => { const c = new MessageChannel(); c.port1.onmessage = done; c.port2.postMessage(0); });
      const rows = el.querySelectorAll('.rows [role=row]');
      m.frames++;
      m.rows = Math.max(m.rows, rows.length);
      m.elements = Math.max(m.elements, el.querySelectorAll('.rows *').length);
      const box = el.getBoundingClientRect();
      const first = rows[0].getBoundingClientRect();
      const last = rows[rows.length - 1].getBoundingClientRect();
      if (first.top > box.top + 26 || last.bottom < box.bottom) m.gaps++;
    }
  }
  return m;
}

describe('find', () => {
  test('uiFind opens the page with matches', async () => {
    await open(`/trace/${big}?uiFind=${encodeURIComponent('item.number=4321')}`);
    await page.locator('.row.match.selected').waitFor();
    assert.equal(await page.locator('.find-count').innerText(), '1 of 1');
    await page.locator('.find input').fill('cache.get error=true');
    await page.waitForFunction(() => /of [2-9]/.test(document.querySelector('.find-count').textContent));
    await page.keyboard.press('Enter');
    assert.match(await page.locator('.find-count').innerText(), /^2 of/);
    await page.keyboard.press('Escape'); // gives the keys back to the spans
    await page.waitForFunction(() => !new URL(location.href).searchParams.has('uiFind'));
    await page.keyboard.press('/');
    await page.keyboard.type('cache.get');
    await page.waitForFunction(() => new URL(location.href).searchParams.get('uiFind') === 'cache.get');
    await page.locator('.find-count', { hasText: / of |^\d/ }).waitFor();
    const before = await selected().innerText();
    await page.locator('.waterfall').focus();
    await page.keyboard.press('n');
    await page.keyboard.press('n');
    await page.keyboard.press('Shift+N');
    assert.notEqual(await page.locator('.find-count').innerText(), before);
  });

  test('a span ID opens that span', async () => {
    const id = (7000).toString(16).padStart(16, '0');
    await open(`/trace/${big}?uiFind=${id}`);
    await page.locator('.detail').waitFor();
    assert.match(await page.locator('.detail').innerText(), new RegExp(id));
    assert.match(await page.locator('.detail').innerText(), /item\.number\s+6999/);
    await page.locator('.row.selected').waitFor(); // it was scrolled to
  });

  test('shows only matches', async () => {
    await open(`/trace/${odd}?uiFind=process`);
    await page.locator('.row.match').waitFor();
    await page.getByRole('button', { name: 'Show only matches' }).click();
    assert.equal(await rows().count(), 3);
  });
});

describe('details', () => {
  test('values have their types, and are copied and searched for', async () => {
    await open(`/trace/${odd}?span=${'1'.padStart(16, '0')}`, { permissions: ['clipboard-read', 'clipboard-write'] });
    await page.locator('.detail').waitFor();
    const text = await page.locator('.detail').innerText();
    for (const want of [/big\s+9223372036854775807\s*int/, /ratio\s+0.25\s*double/, /cached\s+false\s*bool/, /raw\s+ff 00 10\s+3 B\s*bytes/, /nothing\s+no value/,
      /cart is gone/, /\+90 ms\s+exception/, /why\s+retry of/, /Trace state\s+vendor=1/]) assert.match(text, want);
    assert.equal(await page.locator('.detail b').count(), 0, 'values are text, not markup');
    await page.getByRole('button', { name: 'Copy value of big' }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), '9223372036854775807');
    const filter = page.getByRole('link', { name: 'Search for traces with this url.path' });
    const to = new URL(await filter.getAttribute('href'));
    assert.equal(to.pathname, '/search');
    assert.deepEqual([to.searchParams.get('service'), to.searchParams.get('tags')], ['web', '{"url.path":"/checkout"}']);
    await page.getByRole('button', { name: 'cart: cart.Get' }).click(); // a link within the trace
    assert.match(await selected().innerText(), /cart\s*cart\.Get/);
  });

  test('a link leads to the other trace and back', async () => {
    await open(`/trace/${odd}?span=${'1'.padStart(16, '0')}`);
    await page.getByRole('link', { name: new RegExp(`Trace ${big}`) }).click();
    await page.waitForURL(new RegExp(`/trace/${big}`));
    await page.locator('.facts', { hasText: /10\s000/ }).waitFor();
    await page.goBack();
    await page.locator('.facts', { hasText: '180 ms' }).waitFor();
  });

  test('warnings are said in words', async () => {
    await open(`/trace/${odd}`);
    await page.getByTitle('Show them').click();
    const text = await page.locator('.warning-list').innerText();
    assert.match(text, /starts 3 ms before its parent/);
    assert.match(text, /000000000000dead, is not in this trace/);
  });
});

describe('other views', () => {
  test('flame graph', async () => {
    await open(`/trace/${odd}`);
    await rows().first().waitFor();
    await page.keyboard.press('2');
    await page.locator('.flame canvas').waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    assert.match(await page.locator('.flame-tip').innerText(), /cart\.Get/);
    await page.keyboard.press('Enter');
    assert.equal(await page.getByRole('button', { name: 'Show all' }).count(), 1);
    await page.keyboard.press('Backspace');
    await page.keyboard.press('0');
    assert.equal(await page.getByRole('button', { name: 'Show all' }).count(), 0);
    const box = await page.locator('.flame canvas').boundingBox();
    await page.mouse.click(box.x + 40, box.y + 30); // the second level
    assert.equal(await page.getByRole('button', { name: 'Show all' }).count(), 1);
  });

  test('tables', async () => {
    await open(`/trace/${big}?view=table`);
    await page.locator('.table-row').first().waitFor();
    assert.equal(await page.getByRole('columnheader', { name: 'Own time' }).getAttribute('aria-sort'), 'descending');
    await page.getByRole('button', { name: 'Spans', exact: true }).click();
    const counts = await page.locator('.stats [role=row] > :nth-child(3)').allInnerTexts();
    const numbers = counts.slice(1).map((s) => Number(s.replace(/\D/g, '')));
    assert.deepEqual(numbers, [...numbers].sort((a, b) => b - a));
    await page.getByRole('button', { name: 'Each span' }).click();
    await page.locator('.spans .table-row').first().waitFor();
    assert.ok((await page.locator('.spans .table-row').count()) < 60);
    await page.locator('.spans .table-row .text-link').first().click();
    await page.locator('.detail').waitFor();
  });

  test('JSON in both forms, to keep', async () => {
    await open(`/trace/${odd}?view=json`);
    await page.locator('.json-line').first().waitFor();
    const save = async () => {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download' }).click()]);
      const chunks = [];
      for await (const c of await download.createReadStream()) chunks.push(c);
      return { name: download.suggestedFilename(), doc: JSON.parse(Buffer.concat(chunks).toString()) };
    };
    const otlp = await save();
    assert.equal(otlp.name, `trace-${odd}.otlp.json`);
    assert.equal(otlp.doc.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)).length, 6);
    await page.getByRole('button', { name: 'Jaeger' }).click();
    await page.locator('.json-line', { hasText: '"traceID"' }).first().waitFor();
    const jaeger = await save();
    assert.equal(jaeger.doc.data[0].spans.length, 6);
  });
});

describe('states', () => {
  test('a trace that is not there', async () => {
    await open(`/trace/${'1'.padStart(32, '0')}`);
    await page.getByRole('heading', { name: 'No spans of this trace are stored' }).waitFor();
    await open('/trace/nonsense');
    await page.getByRole('heading', { name: 'This is not a trace ID' }).waitFor();
    await open('/no/such/page');
    await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    assert.deepEqual(await axe(page), []);
  });

  test('an error, and trying again', async () => {
    await open('/search');
    await page.route('**/api/v3/traces/*', (r) => r.fulfill({ status: 504, contentType: 'application/json', body: '{"error":{"httpCode":504,"message":"query timeout"}}' }));
    await page.goto(`${clew.ui}/trace/${odd}`);
    await page.getByText('query timeout').waitFor();
    assert.deepEqual(await axe(page), []);
    await page.unroute('**/api/v3/traces/*');
    await page.getByRole('button', { name: 'Try again' }).click();
    await rows().first().waitFor();
    opened.complaints.splice(0); // the browser's own word for the 504
  });

  test('a partial answer', async () => {
    await open('/search');
    await page.route('**/api/v3/traces/*', async (r) => {
      const res = await r.fetch();
      await r.fulfill({ response: res, headers: { ...res.headers(), 'clew-completeness': 'incomplete; planned=5; read=3; pruned=0; failed=2; replaying' } });
    });
    await page.goto(`${clew.ui}/trace/${odd}`);
    await rows().first().waitFor();
    assert.match(await page.locator('.banner').innerText(), /incomplete\. The server has just started .*; 2 of 5 places .* could not be read\./);
    assert.deepEqual(await axe(page), []);
  });
});

describe('accessibility', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing: ${colorScheme}`, async () => {
      await open(`/trace/${shop.traceId}?uiFind=GET`, { colorScheme });
      await page.locator('.row.match').first().waitFor();
      assert.deepEqual(await axe(page), [], 'timeline with matches');
      await page.keyboard.press('Enter');
      await page.locator('.detail').waitFor();
      await page.getByTitle('Find them').click();
      assert.deepEqual(await axe(page), [], 'details');
      for (const view of ['flame', 'table', 'json']) {
        await page.locator(`#tab-${view}`).click();
        await page.locator('.flame canvas, .table-row, .json-line').first().waitFor();
        if (view === 'flame') await page.keyboard.press('ArrowDown');
        assert.deepEqual(await axe(page), [], view);
      }
      await page.getByRole('button', { name: 'Each span' }).or(page.locator('#tab-table')).first().click();
      await page.getByRole('button', { name: 'Each span' }).click();
      assert.deepEqual(await axe(page), [], 'span table');
      await page.keyboard.press('?');
      await page.locator('dialog[open]').waitFor();
      assert.deepEqual(await axe(page), [], 'help');
      await open(`/trace/${odd}?span=${'3'.padStart(16, '0')}`, { colorScheme });
      await page.locator('.callout').waitFor();
      await page.getByTitle('Show them').click();
      assert.deepEqual(await axe(page), [], 'warnings');
    });
  }
});

describe('paths', () => {
  for (const [name, prefix, keep] of [['a prefix that the proxy takes away', '/clew/ui', false], ['a prefix that Clew is told', basePath, true], ["a tenant's path", '/api/traces/v1/team-a', false]]) {
    test(name, async () => {
      const proxy = await startProxy(clew.ui, prefix, { keep });
      try {
        await open(proxy.url + `/trace/${odd}?uiFind=process`, {}, proxy.url);
        await page.locator('.row.match').waitFor();
        await page.locator('.brand').click();
        await page.waitForURL(`${proxy.url}/search`);
        await page.locator('.open-trace input').fill(big);
        await page.keyboard.press('Enter');
        await page.waitForURL(`${proxy.url}/trace/${big}`);
        await page.locator('.facts', { hasText: /10\s000/ }).waitFor();
        await page.goto(proxy.url); // without its slash
        await page.waitForURL(`${proxy.url}/search`);
      } finally {
        await proxy.stop();
      }
    });
  }
});
