import assert from 'node:assert/strict';
import { test } from 'node:test';
import { incompleteText, parseCompleteness } from './completeness';

test('no header is a complete answer', () => assert.equal(parseCompleteness(null), null));

test('the header in words', () => {
  const said = (h: string): string => incompleteText(parseCompleteness(h)!);
  assert.equal(said('incomplete; planned=5; read=4; pruned=0; failed=1'), '1 of 5 places where spans are kept could not be read.');
  assert.match(said('incomplete; planned=1; read=1; pruned=0; failed=0; replaying'), /^The server has just started .* may be missing\.$/);
  assert.equal(said('something new'), 'The server could not read everything.');
});
