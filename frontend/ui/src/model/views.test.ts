import assert from 'node:assert/strict';
import { test } from 'node:test';
import { allNodes, buildFlame } from './flame';
import { foldBelow, matchingRows, reveal, rowOf, visibleSpans } from './rows';
import { selfTimes } from './self-time';
import { percentile, statistics } from './stats';
import { tickLabel, ticks } from './ticks';
import { buildTrace, nameOf, type Trace } from './trace';
import { random, testTraces, type Row } from './testing';
import { byteLength, hexOf, textOf, typeOf } from './values';
import { countWarned, findWarnings } from './warnings';

const make = (rows: Row[]): Trace => buildTrace(testTraces(rows));
const tree: Row[] = [['a', '', 0, 100], ['b', 'a', 5, 50], ['c', 'b', 10, 20], ['d', 'b', 25, 40], ['e', 'a', 60, 90]];
const shown = (t: Trace, rows: Int32Array): string => [...rows].map((i) => nameOf(t, i)).join('');

test('folding hides what is below', () => {
  const t = make(tree);
  assert.equal(shown(t, visibleSpans(t, new Uint8Array(5))), 'abcde');
  assert.equal(shown(t, visibleSpans(t, foldBelow(t, 1))), 'a');
  assert.equal(shown(t, visibleSpans(t, foldBelow(t, 2))), 'abe');
  assert.equal(shown(t, visibleSpans(t, foldBelow(t, 0))), 'abcde');
  const folded = reveal(t, foldBelow(t, 1), 3);
  assert.equal(shown(t, visibleSpans(t, folded)), 'abcde');
  assert.equal(reveal(t, folded, 3), folded);
});

test('the row of a hidden span is that of the span that hides it', () => {
  const t = make(tree);
  const rows = visibleSpans(t, foldBelow(t, 2)); // a b e
  assert.deepEqual([0, 1, 2, 3, 4].map((i) => rowOf(rows, i)), [0, 1, 1, 1, 2]);
});

test('matches come with all that they are in', () => {
  const t = make(tree);
  assert.equal(shown(t, matchingRows(t, [3])), 'abd');
});

test('statistics', () => {
  const t = make([['a', '', 0, 100], ['x1', 'a', 0, 10, { name: 'x' }], ['x2', 'a', 10, 30, { name: 'x', status: { code: 2 } }], ['x3', 'a', 30, 60, { name: 'x' }], ['x4', 'a', 60, 100, { name: 'x' }]]);
  const all = statistics(t, selfTimes(t), new Float64Array(5), 'operation');
  const x = all.find((g) => g.name === 'x')!;
  assert.deepEqual([x.count, x.errors, x.total, x.self, x.average, x.p50, x.p95, x.max], [4, 1, 100, 100, 25, 20, 40, 40]);
  assert.equal(nameOf(t, x.longest), 'x');
  assert.deepEqual(statistics(t, selfTimes(t), new Float64Array(5), 'service').map((g) => [g.service, g.count]), [['app', 5]]);
  assert.equal(percentile(Float64Array.of(1, 2, 3), 0.95), 3);
});

test('the flame graph merges calls from one place, and its widths add up', () => {
  const t = make([['a', '', 0, 100], ['q1', 'a', 0, 40, { name: 'q' }], ['q2', 'a', 20, 60, { name: 'q' }], ['r', 'q1', 5, 15], ['s', 'q2', 30, 35, { name: 'r' }]]);
  const root = buildFlame(t, selfTimes(t));
  const a = root.children[0];
  assert.deepEqual(a.children.map((n) => [n.name, n.count, n.total, n.weight]), [['q', 2, 80, 80]]);
  assert.deepEqual(a.children[0].children.map((n) => [n.name, n.count, n.weight]), [['r', 2, 15]]);
  for (let seed = 1; seed <= 50; seed++) {
    const rnd = random(seed);
    const rows: Row[] = Array.from({ length: 30 }, (_, i) => {
      const begin = Math.floor(rnd() * 100);
      return [`s${i}`, i === 0 ? '' : `s${Math.floor(rnd() * i)}`, begin, begin + Math.floor(rnd() * 60), { name: `n${i % 4}` }];
    });
    const r = make(rows);
    const self = selfTimes(r);
    const top = buildFlame(r, self);
    assert.equal(top.weight, self.reduce((x, y) => x + y, 0));
    for (const n of allNodes(top)) {
      assert.equal(n.weight, n.self + n.children.reduce((x, c) => x + c.weight, 0));
      for (const c of n.children) assert.ok(c.x >= n.x && c.x + c.weight <= n.x + n.weight);
    }
  }
});

test('ticks are round and few', () => {
  assert.deepEqual(ticks(0, 100, 5), { at: [0, 20, 40, 60, 80, 100], step: 20 });
  assert.deepEqual(ticks(7, 93, 4).at, [50]);
  assert.deepEqual(ticks(5, 5, 4).at, []);
  assert.equal(tickLabel(0, 20e6, 180e6), '0');
  assert.equal(tickLabel(20e6, 20e6, 180e6), '20 ms');
  assert.equal(tickLabel(1.5e9, 0.5e9, 3e9), '1.5 s');
  assert.equal(tickLabel(7.2e6, 0.2e6, 8e6), '7.2 ms');
});

test('values by type', () => {
  assert.deepEqual([undefined, {}, { stringValue: '' }, { intValue: '7' }, { doubleValue: 'NaN' }, { boolValue: false }, { bytesValue: '' }, { arrayValue: {} }, { kvlistValue: {} }].map(typeOf),
    ['empty', 'empty', 'string', 'int', 'double', 'bool', 'bytes', 'array', 'map']);
  assert.equal(textOf({ intValue: '9223372036854775807' }), '9223372036854775807');
  assert.equal(textOf({ arrayValue: { values: [{ stringValue: 'a' }, { intValue: '2' }, {}] } }), '["a", 2, null]');
  assert.equal(textOf({ kvlistValue: { values: [{ key: 'k', value: { boolValue: true } }] } }), '{"k": true}');
  assert.deepEqual([byteLength(''), byteLength('/wAQ'), byteLength('/w=='), byteLength('/wA=')], [0, 3, 1, 2]);
  assert.equal(hexOf('/wAQ', 2), 'ff 00 …');
  assert.equal(hexOf('%', 2), '');
});

test('warnings say what is odd', () => {
  const t = make([
    ['web/root', '', 0, 100],
    ['web/call', 'web/root', 10, 50, { kind: 3 }],
    ['cart/serve', 'web/call', 7, 40, { kind: 2 }],
    ['cart/late', 'web/call', 20, 60, { kind: 2 }],
    ['queue/work', 'web/root', 90, 130, { kind: 5 }],
    ['web/lost', 'gone', 5, 6],
    ['web/back', 'web/root', 60, 50],
    ['web/full', 'web/root', 60, 61, { droppedAttributesCount: 3 }],
  ]);
  const w = findWarnings(t);
  const of = (name: string): string => (w.bySpan.get(t.spans.findIndex((s) => s.name === name)) ?? []).map((x) => `${x.tone}: ${x.text}`).join(' ');
  assert.match(of('cart/serve'), /^warning: It starts 3 ns before its parent: the clocks of their hosts differ/);
  assert.match(of('cart/late'), /^warning: It ends 10 ns after the call that it answers/);
  assert.match(of('queue/work'), /^note: It ends 30 ns after its parent/);
  assert.match(of('web/lost'), /^warning: Its parent, span [0-9a-f]{16}, is not in this trace/);
  assert.match(of('web/back'), /^warning: It ends 10 ns before it starts/);
  assert.match(of('web/full'), /^note: The SDK dropped 3 attributes/);
  assert.equal(of('web/root'), '');
  assert.equal(countWarned(w), 4);
  assert.deepEqual(w.trace.map((x) => x.text), ['1 span without a parent in this trace.']);
});
