// A real Clew process with data of its own, and what is sent to it.
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** Where a door is that is also served at the root. */
export const basePath = '/team/clew';

/** Builds and starts Clew on free ports. stop() ends it and removes its data. */
export async function startClew() {
  const dir = mkdtempSync(join(tmpdir(), 'clew-ui-'));
  const binary = join(dir, 'clew');
  const built = spawnSync('go', ['build', '-o', binary, './cmd/clew'], { cwd: root, stdio: 'inherit' });
  if (built.status !== 0) throw new Error('go build failed');
  const args = ['run', '--data-dir', join(dir, 'data'), '--set', 'self_tracing.enabled=false', '--set', `ui.base_path=${basePath}`];
  for (const door of ['otlp_grpc', 'otlp_http', 'jaeger', 'tempo']) args.push('--set', `ports.${door}=0`);
  const child = spawn(binary, args, { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const doors = await new Promise((resolve, reject) => {
    child.stderr.on('data', (b) => {
      log += b;
      const at = (name) => new RegExp(`^${name} +(\\S+:\\d+)$`, 'm').exec(log)?.[1];
      const found = { grpc: at('OTLP gRPC'), http: at('OTLP HTTP'), ui: at('UI, Jaeger query API') };
      if (found.grpc && found.http && found.ui) resolve(found);
    });
    ended.then((code) => reject(new Error(`clew ended with ${code}:\n${log}`)));
  });
  return {
    ui: `http://${doors.ui}`,
    /** Sends traffic of the shop of `clew load`, the same at each call but for the
     * times; more are flags of that command. */
    load(spans, ...more) {
      const run = spawnSync(binary, ['load', '--replay', '--endpoint', doors.grpc, '--spans', String(spans), '--seed', '7', '--at', new Date().toISOString(), ...more], { encoding: 'utf8' });
      if (run.status !== 0) throw new Error(`clew load: ${run.stderr}`);
    },
    /** Sends OTLP as JSON. */
    async push(traces) {
      const res = await fetch(`http://${doors.http}/v1/traces`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(traces) });
      if (!res.ok) throw new Error(`push: ${res.status} ${await res.text()}`);
    },
    /** Summaries of the traces of the last hours, as the search API has them. */
    async summaries(limit = 200) {
      const q = new URLSearchParams({
        'query.startTimeMin': new Date(Date.now() - 6 * 3600e3).toISOString(),
        'query.startTimeMax': new Date(Date.now() + 3600e3).toISOString(),
        'query.searchDepth': String(limit),
      });
      const res = await fetch(`http://${doors.ui}/api/v3/trace-summaries?${q}`);
      return (await res.json()).summaries;
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
