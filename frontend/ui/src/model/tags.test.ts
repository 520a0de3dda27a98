import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatTags, parseTags, tagsFromAddress, withTag } from './tags';

test('logfmt', () => {
  const cases: [string, Record<string, string>][] = [
    ['', {}],
    ['  error=true  ', { error: 'true' }],
    ['error=true http.status_code=500 user.id="a b"', { error: 'true', 'http.status_code': '500', 'user.id': 'a b' }],
    ['a=', { a: '' }],
    ['a=""', { a: '' }],
    ['url=http://x/?a=b&c=d', { url: 'http://x/?a=b&c=d' }],
    ['a="say \\"hi\\"" b="\\\\"', { a: 'say "hi"', b: '\\' }],
    ['a="x=y z"\tb=ü', { a: 'x=y z', b: 'ü' }],
    ['__proto__=1', JSON.parse('{"__proto__":"1"}') as Record<string, string>],
  ];
  for (const [text, want] of cases) assert.deepEqual(parseTags(text), { tags: want }, text);
});

test('what is wrong is said', () => {
  const cases: [string, RegExp][] = [
    ['error', /^error has no value: write error=value/],
    ['=x', /no key before =x/],
    ['a="b', /quotes around the value of a/],
    ['a="b"c', /quotes around the value of a/],
    ['a=b"c', /put values with quotes/],
    ['a=1 a=2', /^a is there twice/],
    ['ok=1 bad', /^bad has no value/],
    ['a="\\x"', /quoted value of a/],
  ];
  for (const [text, want] of cases) {
    const got = parseTags(text);
    assert.ok('error' in got && want.test(got.error), `${text}: ${JSON.stringify(got)}`);
  }
});

test('tags survive a round trip', () => {
  const tags = { a: 'b', empty: '', 'with space': '', q: 'x "y" \\ z', n: 'line\nbreak', u: '☃ é' };
  const { 'with space': _, ...writable } = tags; // keys of logfmt have no spaces
  assert.deepEqual(parseTags(formatTags(writable)), { tags: writable });
});

test('tags of addresses', () => {
  const cases: [string, string][] = [
    ['{"error":"true","user.id":"a b"}', 'error=true user.id="a b"'],
    ['{"http.status_code":500,"ok":false}', 'http.status_code=500 ok=false'],
    ['error=true', 'error=true'],
    ['{broken', '{broken'],
    ['{"a":{"b":1}}', '{"a":{"b":1}}'],
  ];
  for (const [text, want] of cases) assert.equal(tagsFromAddress(text), want);
});

test('one tag is changed', () => {
  assert.equal(withTag('a=1', 'error', 'true'), 'a=1 error=true');
  assert.equal(withTag('error=false a=1', 'error', 'true'), 'a=1 error=true');
  assert.equal(withTag('error=true a=1', 'error', null), 'a=1');
  assert.equal(withTag('a', 'error', 'true'), 'a');
});
