const units: [number, string][] = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
  [1, 'ns'],
];

/** Nanoseconds for people, to three digits: "1.24 s", "830 µs", "3 m 5 s". */
export function formatDuration(ns: number): string {
  if (ns < 0) return '−' + formatDuration(-ns);
  if (ns >= 60e9) return longDuration(ns);
  for (const [size, unit] of units) {
    if (ns < size && size > 1) continue;
    const v = ns / size;
    const text = v >= 100 ? v.toFixed(0) : v >= 10 ? trim(v.toFixed(1)) : trim(v.toFixed(2));
    return `${text} ${unit}`;
  }
  return '0 ns';
}

const trim = (s: string): string => (s.includes('.') ? s.replace(/\.?0+$/, '') : s);

function longDuration(ns: number): string {
  const s = Math.round(ns / 1e9);
  const parts: [number, string][] = [
    [Math.floor(s / 86400), 'd'],
    [Math.floor(s / 3600) % 24, 'h'],
    [Math.floor(s / 60) % 60, 'm'],
    [s % 60, 's'],
  ];
  const from = parts.findIndex(([n]) => n > 0);
  return parts.slice(from, from + 2).filter(([n]) => n > 0).map(([n, u]) => `${n} ${u}`).join(' ');
}

/** Nanoseconds to the last digit: "1 234 567 ns". */
export const formatExact = (ns: number): string => groupDigits(Math.round(ns)) + ' ns';

/** 12 345 with thin spaces. */
export const groupDigits = (n: number): string => String(n).replace(/\B(?=(\d{3})+$)/g, '\u2009');

const two = (n: number): string => String(n).padStart(2, '0');

/** A moment in the reader's time zone, to the millisecond. */
export function formatTime(unixNano: bigint): string {
  const d = new Date(Number(unixNano / 1_000_000n));
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
}

/** The same in UTC, to the nanosecond. */
export function formatTimeExact(unixNano: bigint): string {
  const iso = new Date(Number(unixNano / 1_000_000n)).toISOString();
  return iso.slice(0, -4) + String(unixNano % 1_000_000_000n).padStart(9, '0') + 'Z';
}

/** How long ago: "3 minutes ago". */
export function formatAgo(unixNano: bigint, now = Date.now()): string {
  const s = (now - Number(unixNano / 1_000_000n)) / 1000;
  if (s < -5) return 'in the future';
  for (const [size, unit] of [[86400, 'day'], [3600, 'hour'], [60, 'minute']] as const) {
    const n = Math.floor(s / size);
    if (n >= 1) return `${n} ${unit}${n > 1 ? 's' : ''} ago`;
  }
  return s < 5 ? 'just now' : `${Math.floor(s)} seconds ago`;
}

/** A share of 1 as a percentage. */
export const formatShare = (x: number): string => (x > 0 && x < 0.005 ? '<1 %' : `${Math.round(x * 100)} %`);

/** "1 span", "2 spans". */
export const plural = (n: number, one: string, many = one + 's'): string => `${groupDigits(n)} ${n === 1 ? one : many}`;

export function formatBytes(n: number): string {
  if (n < 1000) return `${n} B`;
  return n < 1e6 ? `${trim((n / 1e3).toFixed(1))} kB` : `${trim((n / 1e6).toFixed(1))} MB`;
}
