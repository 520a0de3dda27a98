import { formatDuration } from './format';

/** Maps values to a place from 0 to 1 and back. */
export interface Axis {
  at(value: number): number;
  value(at: number): number;
  ticks: { value: number; label: string }[];
}

/** An axis for durations in nanoseconds. Logarithmic, it shows whole decades,
 * or the least that holds the values if they lie close together. */
export function durationAxis(values: number[], kind: 'log' | 'linear'): Axis {
  const top = Math.max(1, ...values);
  if (kind === 'linear') {
    const step = ceilTo(top / 3);
    const end = Math.max(step, Math.ceil((top * 1.02) / step) * step);
    return linear(0, end, every(step, 0, end).map((v) => ({ value: v, label: formatDuration(v) })));
  }
  const low = Math.max(1, Math.min(...values.filter((v) => v > 0), top));
  const lo = floorTo(low / 1.15);
  const hi = Math.max(ceilTo(top * 1.15), lo * 5);
  const a = Math.log(lo);
  const b = Math.log(hi);
  const marks = logMarks(lo, hi);
  return {
    at: (v) => (Math.log(Math.max(v, lo)) - a) / (b - a),
    value: (x) => Math.exp(a + x * (b - a)),
    ticks: marks.map((v) => ({ value: v, label: formatDuration(v) })),
  };
}

const steps = [1, 2, 5, 10];
const decade = (v: number): number => 10 ** Math.floor(Math.log10(v) + 1e-9);
const floorTo = (v: number): number => Math.max(...steps.map((s) => s * decade(v)).filter((s) => s <= v * (1 + 1e-9)), decade(v) / 2);
const ceilTo = (v: number): number => Math.min(...steps.map((s) => s * decade(v)).filter((s) => s >= v * (1 - 1e-9)));

/** At most seven of the numbers 1, 2, 5 times a power of ten. */
function logMarks(lo: number, hi: number): number[] {
  for (const of of [[1, 2, 5], [1, 3], [1]]) {
    const all: number[] = [];
    for (let d = decade(lo); d <= hi; d *= 10) all.push(...of.map((s) => s * d).filter((v) => v >= lo * 0.999 && v <= hi * 1.001));
    if (all.length <= 6 || of.length === 1) return all.length <= 7 ? all : all.filter((_, i) => i % 2 === 0);
  }
  return [];
}

function every(step: number, from: number, to: number): number[] {
  const out: number[] = [];
  for (let i = Math.ceil(from / step); i * step <= to * (1 + 1e-9); i++) out.push(i * step);
  return out;
}

function linear(lo: number, hi: number, ticks: Axis['ticks']): Axis {
  return { at: (v) => (v - lo) / (hi - lo), value: (x) => lo + x * (hi - lo), ticks };
}

const s = 1000;
const m = 60 * s;
const h = 60 * m;
const d = 24 * h;
const timeSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500, s, 2 * s, 5 * s, 10 * s, 15 * s, 30 * s, m, 2 * m, 5 * m, 10 * m, 15 * m, 30 * m, h, 2 * h, 3 * h, 6 * h, 12 * h, d, 2 * d, 7 * d, 14 * d, 28 * d];

/** An axis for moments in milliseconds since 1970, with about so many ticks on
 * round times of the reader's clock. */
export function timeAxis(values: number[], count: number): Axis {
  let lo = Math.min(...values);
  let hi = Math.max(...values);
  if (!(hi - lo >= 20)) {
    lo -= 500;
    hi += 500;
  }
  const pad = (hi - lo) * 0.025;
  lo -= pad;
  hi += pad;
  const step = timeSteps.find((t) => (hi - lo) / t <= count) ?? 90 * d;
  // Days begin where the reader's do.
  const zone = new Date(lo).getTimezoneOffset() * m;
  const ticks = every(step, lo - zone, hi - zone).map((t) => ({ value: t + zone, label: clock(t + zone, step) })).filter((t) => t.value >= lo && t.value <= hi);
  return linear(lo, hi, ticks);
}

function clock(ms: number, step: number): string {
  const t = new Date(ms);
  const two = (n: number): string => String(n).padStart(2, '0');
  const date = `${t.getFullYear()}-${two(t.getMonth() + 1)}-${two(t.getDate())}`;
  if (step >= d) return date;
  const hm = `${two(t.getHours())}:${two(t.getMinutes())}`;
  if (step >= m) return t.getHours() + t.getMinutes() === 0 ? date.slice(5) : hm;
  const hms = `${hm}:${two(t.getSeconds())}`;
  return step >= s ? hms : `${hms}.${String(t.getMilliseconds()).padStart(3, '0')}`;
}

/** The radius of a point for so many spans, in pixels. */
export const radius = (spans: number): number => Math.min(11, 2.6 + Math.sqrt(spans) * 0.42);
