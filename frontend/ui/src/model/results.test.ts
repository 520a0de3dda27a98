import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TraceSummary } from '../api/summaries';
import { complete } from './complete';
import { arrange, servicesOf, titleOf } from './results';

const trace = (traceId: string, start: bigint, duration: number): TraceSummary => ({
  traceId, start, duration, rootService: 'a', rootOperation: 'op', spans: 1, errors: 0, orphans: 0, services: [],
});
const list = [trace('b', 1n, 30), trace('a', 3n, 10), trace('d', 2n, 30), trace('c', 2n, 20)];
const ids = (l: TraceSummary[]): string => l.map((t) => t.traceId).join('');

test('order', () => {
  assert.equal(ids(arrange(list, 'newest', null)), 'acdb');
  assert.equal(ids(arrange(list, 'slowest', null)), 'dbca');
  assert.equal(ids(list), 'badc');
});

test('an area selects, its edges included', () => {
  assert.equal(ids(arrange(list, 'newest', { from: 2n, to: 3n, shortest: 10, longest: 20 })), 'ac');
});

test('a row shows the root first', () => {
  const t = { ...trace('a', 1n, 1), services: [{ name: 'z', spans: 9, errors: 0 }, { name: 'y', spans: 9, errors: 0 }, { name: 'a', spans: 1, errors: 0 }] };
  assert.deepEqual(servicesOf(t).map((s) => s.name), ['a', 'y', 'z']);
  assert.equal(titleOf(t), 'a: op');
  assert.equal(titleOf({ ...t, rootService: '' }), 'No root span');
});

test('completion', () => {
  const choices = ['recommendation', 'cart', 'GET /cart', 'discart', 'orders'].map((value) => ({ value }));
  const got = (typed: string): string[] => complete(choices, typed).map((c) => c.value);
  assert.deepEqual(got('CART'), ['cart', 'GET /cart', 'discart']);
  assert.deepEqual(got(' '), choices.map((c) => c.value));
  assert.deepEqual(got('x'), []);
});
