import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testTraces, type Row } from '../../../model/testing';
import { analyse } from '../analysis';
import { barOf } from './bar';
import { clampWindow, pan, zoom } from './window';

const bar = (rows: Row[], i: number, from: number, to: number, pixels = 1000) => barOf(analyse(testTraces(rows)), i, { from, to }, pixels);
const rows: Row[] = [['a', '', 0, 1000], ['b', 'a', 200, 400], ['c', 'a', 300, 600]];

test('a bar lies where its span does', () => {
  const b = bar(rows, 1, 0, 1000)!;
  assert.deepEqual([b.left, b.width, b.fill], [20, 20, '']);
});

test('children at work are paler', () => {
  assert.equal(bar(rows, 0, 0, 1000)!.fill, 'linear-gradient(90deg,var(--own) 0% 20%,var(--busy) 20% 60%,var(--own) 60% 100%)');
});

test('the critical path is marked', () => {
  assert.equal(bar(rows, 0, 0, 1000)!.critical, 'linear-gradient(90deg,var(--critical) 0% 30%,transparent 30% 60%,var(--critical) 60% 100%)');
  assert.equal(bar(rows, 1, 0, 1000)!.critical, '');
});

test('what is out of the window is not drawn, whatever the zoom', () => {
  assert.equal(bar(rows, 1, 500, 1000), null);
  const near = bar(rows, 0, 500, 500.001)!;
  assert.deepEqual([near.left, near.width], [-5, 110]);
});

test('stretches too short to see are joined', () => {
  const many: Row[] = [['a', '', 0, 100_000]];
  for (let i = 0; i < 1000; i++) many.push([`k${i}`, 'a', i * 100, i * 100 + 99]);
  assert.ok(bar(many, 0, 0, 100_000, 500)!.fill.split('var(--busy)').length < 5);
});

test('windows stay within the trace', () => {
  assert.deepEqual(clampWindow(-50, 150, 1000), { from: 0, to: 200 });
  assert.deepEqual(clampWindow(900, 1100, 1000), { from: 800, to: 1000 });
  assert.deepEqual(clampWindow(400, 400, 1000), { from: 400, to: 500 });
  assert.deepEqual(clampWindow(0, 0, 0), { from: 0, to: 0 });
  assert.deepEqual(zoom({ from: 0, to: 1000 }, 250, 0.5, 1000), { from: 125, to: 625 });
  assert.deepEqual(zoom({ from: 125, to: 625 }, 250, 4, 1000), { from: 0, to: 1000 });
  assert.deepEqual(pan({ from: 200, to: 400 }, 0.5, 1000), { from: 300, to: 500 });
  assert.deepEqual(pan({ from: 0, to: 400 }, -0.5, 1000), { from: 0, to: 400 });
});
