// Headless Chromium, watched for what the app must never do.
import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

const places = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts the browser of the system. */
export async function startBrowser() {
  const executablePath = places.find((p) => p && existsSync(p));
  if (!executablePath) throw new Error('no Chromium found: install it, or set CHROMIUM to its path');
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb', '--font-render-hinting=none'] });
}

/** Opens a page whose complaints are kept: requests to other hosts, violations
 * of the policy, errors of scripts. */
export async function newPage(browser, origin, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on('request', (r) => {
    if (!r.url().startsWith(origin) && !/^(data|blob):/.test(r.url())) complaints.push(`request to ${r.url()}`);
  });
  page.on('pageerror', (e) => complaints.push(`error: ${e.message}`));
  page.on('console', (m) => {
    // A 404 that a test asks for is an error in the console, too.
    if (m.type() === 'error' && !/status of 404/.test(m.text())) complaints.push(`console: ${m.text()}`);
  });
  await page.addInitScript(() => {
    addEventListener('securitypolicyviolation', (e) => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`));
  });
  return { page, complaints, close: () => context.close() };
}
