// Pictures for the documentation: traffic of `clew load`, the same each time.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { newPage, startBrowser } from './lib/browser.mjs';
import { startClew } from './lib/clew.mjs';

const out = fileURLToPath(new URL('../../docs/images/', import.meta.url));
mkdirSync(out, { recursive: true });

// Every picture makes the repository larger: the page in both themes, and each
// view once.
const pictures = ['search-light', 'search-dark', 'trace-light', 'trace-dark', 'trace-details-light', 'trace-flame-dark'];

const clew = await startClew();
const browser = await startBrowser();
try {
  clew.load(20_000, '--window', '40m');
  const found = await clew.summaries(1000);
  const trace = found.filter((s) => s.rootOperationName === 'GET /checkout' && s.errorSpanCount > 0).sort((a, b) => b.spanCount - a.spanCount)[0]
    ?? found.sort((a, b) => b.spanCount - a.spanCount)[0];

  for (const colorScheme of ['light', 'dark']) {
    const { page, complaints, close } = await newPage(browser, clew.ui, { colorScheme, viewport: { width: 1360, height: 820 }, deviceScaleFactor: 1.5 });
    const shoot = async (name) => {
      if (!pictures.includes(`${name}-${colorScheme}`)) return;
      await page.waitForTimeout(400);
      await page.screenshot({ path: `${out}${name}-${colorScheme}.png` });
      console.log(`docs/images/${name}-${colorScheme}.png`);
    };
    await page.goto(`${clew.ui}/search?limit=400`);
    await page.locator('.trace-row .trace-duration').first().waitFor();
    await shoot('search');
    await page.goto(`${clew.ui}/trace/${trace.traceId}`);
    await page.locator('.row').first().waitFor();
    await shoot('trace');
    await page.locator('.row', { has: page.locator('.mark.error') }).last().click();
    await page.locator('.detail').waitFor();
    await shoot('trace-details');
    await page.getByRole('button', { name: 'Close the details' }).click();
    await page.getByRole('tab', { name: 'Flame graph' }).click();
    await shoot('trace-flame');
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
    await close();
  }
} finally {
  await browser.close();
  await clew.stop();
}
