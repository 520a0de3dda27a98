import assert from 'node:assert/strict';
import { test } from 'node:test';
import { apiDuration, lookbackWords, parseDuration, parseLookback, roundDuration } from './durations';

test('durations of Go', () => {
  const cases: [string, number | null][] = [
    ['1.2s', 1.2e9], ['100ms', 100e6], ['500us', 500e3], ['500µs', 500e3], ['500μs', 500e3], ['7ns', 7], ['1h30m', 5400e9],
    ['.5s', 0.5e9], ['1.s', 1e9], ['100 ms', 100e6], ['0', 0],
    ['', null], ['100', null], ['ms', null], ['1x', null], ['-1s', null], ['1s2', null], ['1..2s', null], ['1.2.3s', null], ['1d', null],
  ];
  for (const [text, want] of cases) assert.equal(parseDuration(text), want, text);
  assert.equal(apiDuration(' 5 µs'), '5us');
});

test('rounded durations hold what they were made from', () => {
  const cases: [number, string, string][] = [
    [1_234_567_890, '1.23s', '1.24s'], [45_678_901, '45.6ms', '45.7ms'], [830_400, '830us', '831us'], [999, '999ns', '999ns'],
    [1e6, '1ms', '1ms'], [100e6, '100ms', '100ms'], [2.3e9, '2.3s', '2.3s'],
  ];
  for (const [ns, floor, ceil] of cases) {
    assert.deepEqual([roundDuration(ns, 'floor'), roundDuration(ns, 'ceil')], [floor, ceil]);
  }
  for (let i = 0, ns = 3; i < 400; i++, ns = Math.ceil(ns * 1.07)) {
    assert.ok(parseDuration(roundDuration(ns, 'floor'))! <= ns * (1 + 1e-12), `${ns}`);
    assert.ok(parseDuration(roundDuration(ns, 'ceil'))! >= ns * (1 - 1e-12), `${ns}`);
  }
});

test('lookback', () => {
  const h = 3600e3;
  const cases: [string, number | null][] = [
    ['1h', h], ['5m', h / 12], ['2d', 48 * h], ['1w', 168 * h], ['90s', 90e3], ['1h30m', 1.5 * h],
    ['', null], ['custom', null], ['0', null], ['0d', null], ['1y', null], ['99999999w', null],
  ];
  for (const [text, want] of cases) assert.equal(parseLookback(text), want, text);
  assert.deepEqual(['1h', '15m', '7d', '1h30m'].map(lookbackWords), ['last hour', 'last 15 minutes', 'last 7 days', 'last 1h30m']);
});
