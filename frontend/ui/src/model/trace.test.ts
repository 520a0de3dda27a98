import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildTrace, childrenOf, mainRoot, nameOf } from './trace';
import { random, testTraces, type Row } from './testing';

const names = (rows: Row[]): string[] => {
  const t = buildTrace(testTraces(rows));
  return Array.from({ length: t.count }, (_, i) => '  '.repeat(t.depth[i]) + nameOf(t, i));
};

test('children follow their parents, the earliest first', () => {
  assert.deepEqual(
    names([['c', 'a', 5, 6], ['d', 'b', 3, 4], ['a', '', 0, 10], ['b', 'a', 1, 8]]),
    ['a', '  b', '    d', '  c'],
  );
});

test('of two that start together the longer comes first', () => {
  assert.deepEqual(names([['r', '', 0, 9], ['short', 'r', 1, 2], ['long', 'r', 1, 8]]), ['r', '  long', '  short']);
});

test('orphans are roots', () => {
  const t = buildTrace(testTraces([['a', '', 0, 10], ['b', 'gone', 2, 5], ['c', 'b', 3, 4]]));
  assert.deepEqual(t.roots.map((r) => nameOf(t, r)), ['a', 'b']);
  assert.equal(t.problems.get(1)?.[0].kind, 'missing-parent');
  assert.equal(mainRoot(buildTrace(testTraces([['early', 'gone', 0, 1], ['root', '', 1, 9]]))), 1);
  assert.equal(mainRoot(buildTrace(testTraces([['only', 'gone', 0, 1]]))), 0);
});

test('circles are opened at their earliest span', () => {
  assert.deepEqual(names([['a', 'c', 2, 9], ['b', 'a', 1, 8], ['c', 'b', 3, 7], ['d', 'c', 4, 5], ['self', 'self', 0, 1]]),
    ['self', 'b', '  c', '    a', '    d']);
});

test('a span with an ID that is taken stands beside the first', () => {
  const rows: Row[] = [['a', '', 0, 10], ['b', 'a', 1, 5], ['b', 'a', 6, 9], ['c', 'b', 7, 8]];
  assert.deepEqual(names(rows), ['a', '  b', '    c', '  b']);
});

test('spans without times lie where their parents begin', () => {
  const t = buildTrace(testTraces([['a', '', 0, 10], ['b', 'a', 4, 8], ['c', 'b', 0, 0, { startTimeUnixNano: '0', endTimeUnixNano: '0' }], ['d', 'a', 9, 5]]));
  const i = t.spans.findIndex((s) => s.name === 'c');
  assert.deepEqual([t.begin[i], t.end[i], t.duration], [4, 4, 10]);
  const d = t.spans.findIndex((s) => s.name === 'd');
  assert.deepEqual([t.begin[d], t.end[d]], [9, 9]);
});

test('an empty answer is a trace without spans', () => {
  const t = buildTrace({});
  assert.deepEqual([t.count, t.duration, t.levels, t.roots.length], [0, 0, 0, 0]);
});

test('random traces: every span once, sizes and depths agree', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const rnd = random(seed);
    const n = 1 + Math.floor(rnd() * 40);
    const rows: Row[] = Array.from({ length: n }, (_, i) => {
      const begin = Math.floor(rnd() * 100);
      return [`s${i}`, rnd() < 0.15 ? '' : `s${Math.floor(rnd() * (n + 3))}`, begin, begin + Math.floor(rnd() * 50)];
    });
    const t = buildTrace(testTraces(rows));
    assert.equal(new Set(t.spans.map((s) => s.name)).size, n, `seed ${seed}`);
    let size = 0;
    for (const r of t.roots) size += t.size[r];
    assert.equal(size, n, `seed ${seed}`);
    for (let i = 0; i < n; i++) {
      const kids = [...childrenOf(t, i)];
      assert.equal(kids.length, t.children[i]);
      for (const k of kids) assert.ok(t.parent[k] === i && t.depth[k] === t.depth[i] + 1);
    }
  }
});
