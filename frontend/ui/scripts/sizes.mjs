// Prints what a visit downloads, and fails if all scripts together are over the
// budget for those that a first page needs.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const budget = 150_000;
const dist = new URL('../dist/', import.meta.url).pathname;
const html = readFileSync(join(dist, 'index.html'), 'utf8');
const kB = (n) => (n / 1000).toFixed(1).padStart(7) + ' kB';

let initial = 0;
let all = 0;
for (const name of readdirSync(join(dist, 'assets')).sort()) {
  const bytes = readFileSync(join(dist, 'assets', name));
  const packed = gzipSync(bytes, { level: 9 }).length;
  const first = html.includes(name);
  if (name.endsWith('.js')) {
    all += packed;
    if (first) initial += packed;
  }
  console.log(`${kB(bytes.length)} ${kB(packed)} gzip  ${first ? 'at once ' : 'by page '} ${name}`);
}
console.log(`JavaScript with gzip: ${kB(initial).trim()} at once, ${kB(all).trim()} for all pages, of ${kB(budget).trim()}`);
if (all > budget) {
  console.error('the JavaScript is over its budget');
  process.exit(1);
}
