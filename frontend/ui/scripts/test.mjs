// Runs the unit tests: esbuild turns each src/**/*.test.ts into a script that
// Node's own runner takes, because Node 18 reads no TypeScript.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const tests = readdirSync(join(root, 'src'), { recursive: true }).filter((f) => f.endsWith('.test.ts'));
const out = mkdtempSync(join(root, 'node_modules', '.tests-'));
try {
  await build({
    entryPoints: tests.map((f) => join(root, 'src', f)),
    bundle: true, platform: 'node', format: 'esm', target: 'node18', outdir: out,
    outExtension: { '.js': '.mjs' }, sourcemap: 'inline', logLevel: 'warning',
  });
  const built = readdirSync(out, { recursive: true }).filter((f) => f.endsWith('.mjs')).map((f) => join(out, f));
  const run = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...built], { stdio: 'inherit' });
  process.exitCode = run.status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
