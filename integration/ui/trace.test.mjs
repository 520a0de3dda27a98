// What can be done on the trace page, in a real browser, with traces from a real
// Clew.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { big, bigSpans, fixture, odd } from './lib/fixture.mjs';
import { longestTask } from './lib/tasks.mjs';

const f = fixture();

describe('timeline', () => {
  test('shows what the trace is', async () => {
    await f.open(`/trace/${f.shop.traceId}`);
    await f.rows().first().waitFor();
    assert.equal((await f.page.locator('.trace-head h1').innerText()).replace(/\s+/g, ' '), `${f.shop.rootServiceName} ${f.shop.rootOperationName}`);
    const facts = Object.fromEntries(await f.page.locator('.facts > div').evaluateAll((els) => els.map((e) => [e.querySelector('dt').textContent, e.querySelector('dd').textContent])));
    assert.deepEqual([facts.Spans, facts.Services, facts.Errors], [f.shop.spanCount, f.shop.services.length, f.shop.errorSpanCount].map(String));
    assert.match(await f.page.title(), /· Clew$/);
    assert.equal(await f.page.locator('.row .mark.error').count() > 0, true);
  });

  test('goes through spans with the keyboard', async () => {
    await f.open(`/trace/${odd}`);
    await f.rows().first().waitFor();
    assert.equal(await f.rows().count(), 6);
    await f.page.keyboard.press('ArrowDown');
    assert.match(await f.selected().innerText(), /web\s*cart\.Get/);
    await f.page.keyboard.press('ArrowLeft'); // folds
    assert.equal(await f.rows().count(), 5);
    assert.equal(await f.page.locator('.row.selected').getAttribute('aria-expanded'), 'false');
    await f.page.keyboard.press('ArrowRight');
    assert.equal(await f.rows().count(), 6);
    await f.page.keyboard.press('ArrowRight'); // to the child
    assert.match(await f.selected().innerText(), /cart\s*cart\.Get/);
    await f.page.keyboard.press('Enter');
    await f.page.locator('.detail').waitFor();
    assert.match(await f.page.locator('.detail').innerText(), /starts 3 ms before its parent: the clocks/);
    await f.page.keyboard.press('Escape');
    assert.equal(await f.page.locator('.detail').count(), 0);
    await f.page.keyboard.press('{');
    assert.equal(await f.rows().count(), 2);
    await f.page.keyboard.press('}');
    assert.equal(await f.rows().count(), 6);
    await f.page.keyboard.press('End');
    assert.match(await f.selected().innerText(), /lost/);
    await f.page.keyboard.press('?');
    await f.page.locator('dialog[open]').waitFor();
    assert.match(await f.page.locator('dialog').innerText(), /Fold, or go to the parent/);
    await f.page.keyboard.press('Escape');
    await f.page.keyboard.press('t');
    assert.equal(await f.page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await f.page.reload();
    await f.rows().first().waitFor();
    assert.equal(await f.page.evaluate(() => getComputedStyle(document.documentElement).colorScheme), 'dark');
  });

  test('zooms with keys, the ruler and the minimap', async () => {
    await f.open(`/trace/${odd}`);
    await f.rows().first().waitFor();
    const shown = () => f.page.locator('.handle').evaluateAll((els) => els.map((e) => e.getAttribute('aria-valuetext')));
    assert.deepEqual(await shown(), ['0 ns', '180 ms']);
    await f.page.keyboard.press('+');
    assert.deepEqual(await shown(), ['45 ms', '135 ms']);
    await f.page.keyboard.press('0');
    const map = await f.page.locator('.minimap').boundingBox();
    await f.page.mouse.move(map.x + map.width / 4, map.y + 20);
    await f.page.mouse.down();
    await f.page.mouse.move(map.x + map.width / 2, map.y + 20, { steps: 3 });
    await f.page.mouse.up();
    assert.deepEqual(await shown(), ['45 ms', '90 ms']);
    await f.page.locator('.handle[data-edge=from]').press('ArrowLeft');
    assert.deepEqual(await shown(), ['41.4 ms', '90 ms']);
    await f.page.locator('.minimap').dblclick({ position: { x: 300, y: 20 } });
    assert.deepEqual(await shown(), ['0 ns', '180 ms']);
    const ruler = await f.page.locator('.times').boundingBox();
    await f.page.mouse.move(ruler.x + ruler.width / 2, ruler.y + 10);
    await f.page.mouse.down();
    await f.page.mouse.move(ruler.x + ruler.width, ruler.y + 10, { steps: 3 });
    await f.page.mouse.up();
    assert.deepEqual(await shown(), ['90 ms', '180 ms']);
  });

  test(`scrolls ${bigSpans} spans with few elements and no long task`, async (t) => {
    await f.open(`/trace/${big}`);
    await f.rows().first().waitFor();
    const ready = await f.page.evaluate(() => performance.now());
    await f.page.waitForTimeout(500);
    const { result: m, tasks, cpu, clock } = await longestTask(f.browser, f.page, () => f.page.evaluate(scrollThrough));
    t.diagnostic(`${bigSpans} spans: first rows after ${Math.round(ready)} ms; while scrolling ${m.height} px in ${m.frames} frames at most ${m.rows} rows ` +
      `with ${m.elements} elements in all; longest of ${tasks} tasks ${cpu.toFixed(1)} ms (${clock.toFixed(1)} ms by the clock)`);
    assert.match(await f.page.locator('.facts').innerText(), /10\s000/);
    assert.ok(m.height > bigSpans * 20, 'all spans have room');
    assert.ok(m.elements <= 300, `${m.elements} elements`);
    assert.ok(cpu <= 50, `a task took ${cpu} ms`);
    assert.equal(m.gaps, 0, 'frames with rows missing');
  });
});

/** Scrolls to the end and back, frame by frame, and counts. Runs in the f.page. */
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
    await f.open(`/trace/${big}?uiFind=${encodeURIComponent('item.number=4321')}`);
    await f.page.locator('.row.match.selected').waitFor();
    assert.equal(await f.page.locator('.find-count').innerText(), '1 of 1');
    await f.page.locator('.find input').fill('cache.get error=true');
    await f.page.waitForFunction(() => /of [2-9]/.test(document.querySelector('.find-count').textContent));
    await f.page.keyboard.press('Enter');
    assert.match(await f.page.locator('.find-count').innerText(), /^2 of/);
    await f.page.keyboard.press('Escape'); // gives the keys back to the spans
    await f.page.waitForFunction(() => !new URL(location.href).searchParams.has('uiFind'));
    await f.page.keyboard.press('/');
    await f.page.keyboard.type('cache.get');
    await f.page.waitForFunction(() => new URL(location.href).searchParams.get('uiFind') === 'cache.get');
    await f.page.locator('.find-count', { hasText: / of |^\d/ }).waitFor();
    await f.page.locator('.waterfall').focus();
    const position = async () => Number((await f.page.locator('.find-count').innerText()).split(' of ')[0].replace(/\D/g, ''));
    const from = await position();
    await f.page.keyboard.press('n');
    await f.page.keyboard.press('n');
    assert.equal(await position(), from + 2);
    await f.page.keyboard.press('Shift+N');
    assert.equal(await position(), from + 1);
  });

  test('a span ID opens that span', async () => {
    const id = (7000).toString(16).padStart(16, '0');
    await f.open(`/trace/${big}?uiFind=${id}`);
    await f.page.locator('.detail').waitFor();
    assert.match(await f.page.locator('.detail').innerText(), new RegExp(id));
    assert.match(await f.page.locator('.detail').innerText(), /item\.number\s+6999/);
    await f.page.locator('.row.selected').waitFor(); // it was scrolled to
  });

  test('shows only matches', async () => {
    await f.open(`/trace/${odd}?uiFind=process`);
    await f.page.locator('.row.match').waitFor();
    await f.page.getByRole('button', { name: 'Show only matches' }).click();
    assert.equal(await f.rows().count(), 3);
  });
});

describe('details', () => {
  test('values have their types, and are copied and searched for', async () => {
    await f.open(`/trace/${odd}?span=${'1'.padStart(16, '0')}`, { permissions: ['clipboard-read', 'clipboard-write'] });
    await f.page.locator('.detail').waitFor();
    const text = await f.page.locator('.detail').innerText();
    for (const want of [/big\s+9223372036854775807\s*int/, /ratio\s+0.25\s*double/, /cached\s+false\s*bool/, /raw\s+ff 00 10\s+3 B\s*bytes/, /nothing\s+no value/,
      /cart is gone/, /\+90 ms\s+exception/, /why\s+retry of/, /Trace state\s+vendor=1/]) assert.match(text, want);
    assert.equal(await f.page.locator('.detail b').count(), 0, 'values are text, not markup');
    await f.page.getByRole('button', { name: 'Copy value of big' }).click();
    assert.equal(await f.page.evaluate(() => navigator.clipboard.readText()), '9223372036854775807');
    const filter = f.page.getByRole('link', { name: 'Search for traces with this url.path' });
    const to = new URL(await filter.getAttribute('href'));
    assert.equal(to.pathname, '/search');
    assert.deepEqual([to.searchParams.get('service'), to.searchParams.get('tags')], ['web', '{"url.path":"/checkout"}']);
    await f.page.getByRole('button', { name: 'cart: cart.Get' }).click(); // a link within the trace
    assert.match(await f.selected().innerText(), /cart\s*cart\.Get/);
  });

  test('a link leads to the other trace and back', async () => {
    await f.open(`/trace/${odd}?span=${'1'.padStart(16, '0')}`);
    await f.page.getByRole('link', { name: new RegExp(`Trace ${big}`) }).click();
    await f.page.waitForURL(new RegExp(`/trace/${big}`));
    await f.page.locator('.facts', { hasText: /10\s000/ }).waitFor();
    await f.page.goBack();
    await f.page.locator('.facts', { hasText: '180 ms' }).waitFor();
  });

  test('warnings are said in words', async () => {
    await f.open(`/trace/${odd}`);
    await f.page.getByTitle('Show them').click();
    const text = await f.page.locator('.warning-list').innerText();
    assert.match(text, /starts 3 ms before its parent/);
    assert.match(text, /000000000000dead, is not in this trace/);
  });
});

describe('other views', () => {
  test('flame graph', async () => {
    await f.open(`/trace/${odd}`);
    await f.rows().first().waitFor();
    await f.page.keyboard.press('2');
    await f.page.locator('.flame canvas').waitFor();
    await f.page.keyboard.press('ArrowDown');
    await f.page.keyboard.press('ArrowDown');
    assert.match(await f.page.locator('.flame-tip').innerText(), /cart\.Get/);
    await f.page.keyboard.press('Enter');
    assert.equal(await f.page.getByRole('button', { name: 'Show all' }).count(), 1);
    await f.page.keyboard.press('Backspace');
    await f.page.keyboard.press('0');
    assert.equal(await f.page.getByRole('button', { name: 'Show all' }).count(), 0);
    const box = await f.page.locator('.flame canvas').boundingBox();
    await f.page.mouse.click(box.x + 40, box.y + 30); // the second level
    assert.equal(await f.page.getByRole('button', { name: 'Show all' }).count(), 1);
  });

  test('tables', async () => {
    await f.open(`/trace/${big}?view=table`);
    await f.page.locator('.table-row').first().waitFor();
    assert.equal(await f.page.getByRole('columnheader', { name: 'Own time' }).getAttribute('aria-sort'), 'descending');
    await f.page.getByRole('button', { name: 'Spans', exact: true }).click();
    const counts = await f.page.locator('.stats [role=row] > :nth-child(3)').allInnerTexts();
    const numbers = counts.slice(1).map((s) => Number(s.replace(/\D/g, '')));
    assert.deepEqual(numbers, [...numbers].sort((a, b) => b - a));
    await f.page.getByRole('button', { name: 'Each span' }).click();
    await f.page.locator('.spans .table-row').first().waitFor();
    assert.ok((await f.page.locator('.spans .table-row').count()) < 60);
    await f.page.locator('.spans .table-row .text-link').first().click();
    await f.page.locator('.detail').waitFor();
  });

  test('JSON in both forms, to keep', async () => {
    await f.open(`/trace/${odd}?view=json`);
    await f.page.locator('.json-line').first().waitFor();
    const save = async () => {
      const [download] = await Promise.all([f.page.waitForEvent('download'), f.page.getByRole('button', { name: 'Download' }).click()]);
      const chunks = [];
      for await (const c of await download.createReadStream()) chunks.push(c);
      return { name: download.suggestedFilename(), doc: JSON.parse(Buffer.concat(chunks).toString()) };
    };
    const otlp = await save();
    assert.equal(otlp.name, `trace-${odd}.otlp.json`);
    assert.equal(otlp.doc.resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans)).length, 6);
    await f.page.getByRole('button', { name: 'Jaeger' }).click();
    await f.page.locator('.json-line', { hasText: '"traceID"' }).first().waitFor();
    const jaeger = await save();
    assert.equal(jaeger.doc.data[0].spans.length, 6);
  });
});
