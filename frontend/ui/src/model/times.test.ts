import assert from 'node:assert/strict';
import { test } from 'node:test';
import { criticalPath } from './critical-path';
import { selfTimes } from './self-time';
import { buildTrace, nameOf } from './trace';
import { random, testTraces, type Row } from './testing';

function path(rows: Row[]): Record<string, number[]> {
  const t = buildTrace(testTraces(rows));
  return Object.fromEntries([...criticalPath(t).stretches].sort(([a], [b]) => a - b).map(([i, s]) => [nameOf(t, i), s]));
}

function self(rows: Row[]): Record<string, number> {
  const t = buildTrace(testTraces(rows));
  return Object.fromEntries([...selfTimes(t)].map((s, i) => [nameOf(t, i), s]));
}

test('self time is what no child covers', () => {
  assert.deepEqual(
    self([['a', '', 0, 100], ['b', 'a', 10, 40], ['c', 'a', 30, 60], ['d', 'a', 90, 130], ['e', 'b', 12, 20]]),
    { a: 100 - 50 - 10, b: 22, c: 30, d: 40, e: 8 },
  );
});

test('children that lie outside their parent take nothing from it', () => {
  assert.deepEqual(self([['a', '', 10, 20], ['b', 'a', 30, 40], ['c', 'a', 20, 25]]), { a: 10, c: 5, b: 10 });
});

test('the critical path of calls one after the other goes through all', () => {
  assert.deepEqual(path([['a', '', 0, 100], ['b', 'a', 10, 40], ['c', 'a', 50, 90]]),
    { a: [0, 10, 40, 50, 90, 100], b: [10, 40], c: [50, 90] });
});

test('of calls at the same time it takes the last to end', () => {
  assert.deepEqual(path([['a', '', 0, 100], ['fast', 'a', 10, 40], ['slow', 'a', 10, 80]]),
    { a: [0, 10, 80, 100], slow: [10, 80] });
});

test('it goes on before the last with one that had ended by then', () => {
  assert.deepEqual(path([['a', '', 0, 100], ['b', 'a', 5, 45], ['beside', 'a', 30, 60], ['c', 'a', 50, 90]]),
    { a: [0, 5, 45, 50, 90, 100], b: [5, 45], c: [50, 90] });
});

test('a child that outlives its parent counts up to the end of the parent', () => {
  assert.deepEqual(path([['a', '', 0, 100], ['b', 'a', 20, 150], ['c', 'b', 120, 140]]),
    { a: [0, 20], b: [20, 100] });
});

test('several roots are taken one after the other', () => {
  assert.deepEqual(path([['a', '', 0, 30], ['b', '', 40, 70], ['beside', '', 45, 60]]), { a: [0, 30], b: [40, 70] });
});

test('random traces: the path has no overlaps and lies within its spans', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const rnd = random(seed);
    const n = 1 + Math.floor(rnd() * 30);
    const rows: Row[] = Array.from({ length: n }, (_, i) => {
      const begin = Math.floor(rnd() * 100);
      return [`s${i}`, i === 0 ? '' : `s${Math.floor(rnd() * i)}`, begin, begin + Math.floor(rnd() * 60)];
    });
    const t = buildTrace(testTraces(rows));
    const p = criticalPath(t);
    const all: [number, number][] = [];
    for (const [i, s] of p.stretches) {
      for (let k = 0; k < s.length; k += 2) {
        assert.ok(s[k] < s[k + 1] && s[k] >= t.begin[i] && s[k + 1] <= t.end[i], `seed ${seed}`);
        all.push([s[k], s[k + 1]]);
      }
    }
    all.sort((a, b) => a[0] - b[0]);
    for (let k = 1; k < all.length; k++) assert.ok(all[k][0] >= all[k - 1][1], `seed ${seed}: overlap`);
    // Nothing is left out of the root that is alone.
    assert.equal(p.total, t.end[0] - t.begin[0], `seed ${seed}`);
  }
});

test('a very deep trace does not exhaust the stack', () => {
  const rows: Row[] = Array.from({ length: 20_000 }, (_, i) => [`s${i}`, i === 0 ? '' : `s${i - 1}`, i, 100_000 - i]);
  const t = buildTrace(testTraces(rows));
  assert.equal(t.levels, 20_000);
  assert.equal(criticalPath(t).total, 100_000);
  assert.equal(selfTimes(t)[0], 2);
});
