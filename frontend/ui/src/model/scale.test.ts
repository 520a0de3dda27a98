import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationAxis, timeAxis } from './scale';

test('axes hold their values and go back', () => {
  for (const kind of ['log', 'linear'] as const) {
    for (const values of [[1], [0], [5e6], [1e6, 1.1e6], [3, 8e3, 7e9], [47e6, 180e9], []]) {
      const axis = durationAxis(values, kind);
      for (const v of values) {
        const x = axis.at(v);
        assert.ok(x >= 0 && x <= 1, `${kind} ${v} is at ${x}`);
        if (v > 0) assert.ok(Math.abs(axis.value(x) / v - 1) < 1e-6);
      }
      assert.ok(axis.ticks.length >= 2 && axis.ticks.length <= 7, `${kind} ${values.join(' ')}: ${axis.ticks.map((t) => t.label).join(' ')}`);
      for (const t of axis.ticks) assert.ok(axis.at(t.value) >= -0.001 && axis.at(t.value) <= 1.001);
    }
  }
});

test('marks of durations are round', () => {
  assert.deepEqual(durationAxis([2e6, 900e6], 'log').ticks.map((t) => t.label), ['1 ms', '10 ms', '100 ms', '1 s']);
  assert.deepEqual(durationAxis([0, 1.9e9], 'linear').ticks.map((t) => t.label), ['0 ns', '1 s', '2 s']);
});

test('marks of time are round and not too many', () => {
  const t = Date.UTC(2026, 10, 25, 14, 3, 7);
  for (const span of [0, 1, 15, 400, 9e3, 61e3, 3600e3, 86400e3, 7 * 86400e3, 90 * 86400e3]) {
    const axis = timeAxis([t, t + span], 6);
    assert.ok(axis.ticks.length >= 1 && axis.ticks.length <= 7, `${span}: ${axis.ticks.map((x) => x.label).join(' ')}`);
    assert.ok(axis.at(t) >= 0 && axis.at(t + span) <= 1);
  }
  assert.deepEqual(timeAxis([t, t + 60e3], 4).ticks.map((x) => x.label.slice(-5)), ['03:30', '04:00']);
});
