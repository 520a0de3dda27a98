// Durations as the API takes them: those of Go, "1.2s", "100ms", "1h30m".

const nanos: Record<string, number> = { ns: 1, us: 1e3, 'µs': 1e3, 'μs': 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/** A duration in nanoseconds, or null if the text is none. Spaces are allowed
 * between number and unit, as people write them. */
export function parseDuration(text: string): number | null {
  const s = text.replace(/\s+/g, '');
  if (s === '0') return 0;
  if (!/^(\d*\.?\d+\.?(ns|us|µs|μs|ms|s|m|h))+$/.test(s)) return null;
  let sum = 0;
  for (const [, n, unit] of s.matchAll(/([\d.]+)([a-zµμ]+)/g)) sum += Number(n) * nanos[unit];
  return Number.isFinite(sum) ? sum : null;
}

/** The text that the API reads: no spaces, and a plain u for µ. */
export const apiDuration = (text: string): string => text.replace(/\s+/g, '').replace(/[µμ]/g, 'u');

/** Nanoseconds as a duration of three digits that is not above (floor) or not
 * below (ceil) them, so that a range made of two holds what it was made from. */
export function roundDuration(ns: number, round: 'floor' | 'ceil'): string {
  const unit = ns >= 1e9 ? 's' : ns >= 1e6 ? 'ms' : ns >= 1e3 ? 'us' : 'ns';
  const v = ns / nanos[unit];
  const digits = v >= 100 || unit === 'ns' ? 0 : v >= 10 ? 1 : 2;
  const f = 10 ** digits;
  return `${Math[round](Number((v * f).toPrecision(12))) / f}${unit}`;
}

const spans: [string, number, string][] = [
  ['w', 7 * 86400e3, 'week'],
  ['d', 86400e3, 'day'],
  ['h', 3600e3, 'hour'],
  ['m', 60e3, 'minute'],
  ['s', 1e3, 'second'],
];

/** How far back a search goes, in milliseconds: "1h", and the days and weeks of
 * Jaeger's UI, which Go does not know. */
export function parseLookback(text: string): number | null {
  const m = /^(\d+)([wd])$/.exec(text.trim());
  const ms = m ? Number(m[1]) * spans.find(([u]) => u === m[2])![1] : (parseDuration(text) ?? 0) / 1e6;
  return ms > 0 && ms < 1e13 ? ms : null;
}

/** "last hour", "last 15 minutes", "last 7 days". */
export function lookbackWords(text: string): string {
  const m = /^(\d+)([wdhms])$/.exec(text.trim());
  if (!m) return `last ${text}`;
  const name = spans.find(([u]) => u === m[2])![2];
  return Number(m[1]) === 1 ? `last ${name}` : `last ${m[1]} ${name}s`;
}
