// The trace page when something is missing or wrong, for everybody, and under
// any path.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { axe } from './lib/axe.mjs';
import { basePath } from './lib/clew.mjs';
import { big, fixture, odd } from './lib/fixture.mjs';
import { startProxy } from './lib/proxy.mjs';

const f = fixture();

describe('states', () => {
  test('a trace that is not there', async () => {
    await f.open(`/trace/${'1'.padStart(32, '0')}`);
    await f.page.getByRole('heading', { name: 'No spans of this trace are stored' }).waitFor();
    await f.open('/trace/nonsense');
    await f.page.getByRole('heading', { name: 'This is not a trace ID' }).waitFor();
    await f.open('/no/such/page');
    await f.page.getByRole('heading', { name: 'There is no such page' }).waitFor();
    assert.deepEqual(await axe(f.page), []);
  });

  test('an error, and trying again', async () => {
    await f.open('/search');
    await f.page.route('**/api/v3/traces/*', (r) => r.fulfill({ status: 504, contentType: 'application/json', body: '{"error":{"httpCode":504,"message":"query timeout"}}' }));
    await f.page.goto(`${f.clew.ui}/trace/${odd}`);
    await f.page.getByText('query timeout').waitFor();
    assert.deepEqual(await axe(f.page), []);
    await f.page.unroute('**/api/v3/traces/*');
    await f.page.getByRole('button', { name: 'Try again' }).click();
    await f.rows().first().waitFor();
    f.complaints.splice(0); // the browser's own word for the 504
  });

  test('a partial answer', async () => {
    await f.open('/search');
    await f.page.route('**/api/v3/traces/*', async (r) => {
      const res = await r.fetch();
      await r.fulfill({ response: res, headers: { ...res.headers(), 'clew-completeness': 'incomplete; planned=5; read=3; pruned=0; failed=2; replaying' } });
    });
    await f.page.goto(`${f.clew.ui}/trace/${odd}`);
    await f.rows().first().waitFor();
    assert.match(await f.page.locator('.banner').innerText(), /incomplete\. The server has just started .*; 2 of 5 places .* could not be read\./);
    assert.deepEqual(await axe(f.page), []);
  });
});

describe('accessibility', () => {
  for (const colorScheme of ['light', 'dark']) {
    test(`axe finds nothing: ${colorScheme}`, async () => {
      await f.open(`/trace/${f.shop.traceId}?uiFind=GET`, { colorScheme });
      await f.page.locator('.row.match').first().waitFor();
      assert.deepEqual(await axe(f.page), [], 'timeline with matches');
      await f.page.keyboard.press('Enter');
      await f.page.locator('.detail').waitFor();
      await f.page.getByTitle('Find them').click();
      assert.deepEqual(await axe(f.page), [], 'details');
      for (const view of ['flame', 'table', 'json']) {
        await f.page.locator(`#tab-${view}`).click();
        await f.page.locator('.flame canvas, .table-row, .json-line').first().waitFor();
        if (view === 'flame') await f.page.keyboard.press('ArrowDown');
        assert.deepEqual(await axe(f.page), [], view);
      }
      await f.page.locator('#tab-table').click();
      await f.page.getByRole('button', { name: 'Each span' }).click();
      assert.deepEqual(await axe(f.page), [], 'span table');
      await f.page.keyboard.press('?');
      await f.page.locator('dialog[open]').waitFor();
      assert.deepEqual(await axe(f.page), [], 'help');
      await f.open(`/trace/${odd}?span=${'3'.padStart(16, '0')}`, { colorScheme });
      await f.page.locator('.callout').waitFor();
      await f.page.getByTitle('Show them').click();
      assert.deepEqual(await axe(f.page), [], 'warnings');
    });
  }
});

describe('paths', () => {
  for (const [name, prefix, keep] of [['a prefix that the proxy takes away', '/clew/ui', false], ['a prefix that Clew is told', basePath, true], ["a tenant's path", '/api/traces/v1/team-a', false]]) {
    test(name, async () => {
      const proxy = await startProxy(f.clew.ui, prefix, { keep });
      try {
        await f.open(`/trace/${odd}?uiFind=process`, {}, proxy.url);
        await f.page.locator('.row.match').waitFor();
        await f.page.locator('.brand').click();
        await f.page.waitForURL(`${proxy.url}/search`);
        await f.page.locator('.open-trace input').fill(big);
        await f.page.keyboard.press('Enter');
        await f.page.waitForURL(`${proxy.url}/trace/${big}`);
        await f.page.locator('.facts', { hasText: /10\s000/ }).waitFor();
        await f.page.goto(proxy.url); // without its slash
        await f.page.waitForURL(`${proxy.url}/search`);
      } finally {
        await f.leave(); // or its last requests would find no proxy
        await proxy.stop();
      }
    });
  }
});
