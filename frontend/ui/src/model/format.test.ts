import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatAgo, formatDuration, formatTimeExact, groupDigits } from './format';

test('durations', () => {
  const cases: [number, string][] = [
    [0, '0 ns'], [7, '7 ns'], [999, '999 ns'], [1000, '1 µs'], [1240, '1.24 µs'], [12_400, '12.4 µs'],
    [830_400, '830 µs'], [1_000_000, '1 ms'], [1_240_000_000, '1.24 s'], [59_900_000_000, '59.9 s'],
    [60e9, '1 m'], [185e9, '3 m 5 s'], [3600e9, '1 h'], [90_061e9, '1 d 1 h'], [-2e6, '−2 ms'],
  ];
  for (const [ns, want] of cases) assert.equal(formatDuration(ns), want);
});

test('moments keep every digit', () => {
  assert.equal(formatTimeExact(1_700_000_000_123_456_789n), '2023-11-14T22:13:20.123456789Z');
});

test('ages', () => {
  const at = (s: number): string => formatAgo(0n, s * 1000);
  assert.deepEqual([at(1), at(42), at(60), at(7300), at(200_000)], ['just now', '42 seconds ago', '1 minute ago', '2 hours ago', '2 days ago']);
});

test('digits are grouped', () => {
  assert.deepEqual([groupDigits(7), groupDigits(1234), groupDigits(1234567)], ['7', '1\u2009234', '1\u2009234\u2009567']);
});
