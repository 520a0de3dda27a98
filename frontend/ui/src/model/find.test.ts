import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Finder, pairQuery, parseQuery } from './find';
import { buildTrace, nameOf } from './trace';
import { testTraces, type Row } from './testing';

const attributes = (pairs: Record<string, string>) => ({ attributes: Object.entries(pairs).map(([key, v]) => ({ key, value: { stringValue: v } })) });

const rows: Row[] = [
  ['web/GET', '', 0, 100, attributes({ 'http.method': 'GET', 'url.path': '/cart' })],
  ['cart/load', 'web/GET', 10, 50, { ...attributes({ 'db.statement': 'SELECT one item' }), status: { code: 2, message: 'Deadline exceeded' } }],
  ['cartography/draw', 'web/GET', 60, 90, { kind: 3, events: [{ name: 'cache miss', attributes: [{ key: 'n', value: { intValue: '7' } }] }] }],
];

function found(text: string): string[] {
  const t = buildTrace(testTraces(rows));
  const q = parseQuery(text);
  assert.ok(q);
  const run = new Finder(t).run(q);
  for (;;) {
    const step = run.next();
    if (step.done) return step.value.map((i) => nameOf(t, i));
  }
}

test('names, services, keys, values, events, status', () => {
  assert.deepEqual(found('load'), ['cart/load']);
  assert.deepEqual(found('HTTP.METHOD'), ['web/GET']);
  assert.deepEqual(found('url.path=/ca'), ['web/GET']);
  assert.deepEqual(found('n=7'), ['cartography/draw']);
  assert.deepEqual(found('"cache miss"'), ['cartography/draw']);
  assert.deepEqual(found('error=true'), ['cart/load']);
  assert.deepEqual(found('deadline'), ['cart/load']);
  assert.deepEqual(found('kind=client'), ['cartography/draw']);
});

test('all words must be there, quotes keep them together', () => {
  assert.deepEqual(found('cart error=true'), ['cart/load']);
  assert.deepEqual(found('one item'), ['cart/load']);
  assert.deepEqual(found('"item one"'), []);
});

test('a pair in quotes is the whole value', () => {
  assert.deepEqual(found('service.name=cart'), ['cart/load', 'cartography/draw']);
  assert.deepEqual(found(pairQuery('service.name', 'cart')), ['cart/load']);
});

test('span IDs find each of them', () => {
  const t = buildTrace(testTraces(rows));
  assert.deepEqual(found(`${t.spans[2].spanId} ${t.spans[0].spanId.toUpperCase()}`), ['web/GET', 'cartography/draw']);
});

test('nothing to look for', () => {
  assert.equal(parseQuery('  '), null);
  assert.equal(parseQuery('""'), null);
});
