import { busyChildren } from '../../../model/self-time';
import type { Analysis } from '../analysis';
import type { Window } from './window';

export interface Bar {
  /** Percent of the window. */
  left: number;
  width: number;
  /** CSS images: time of its own and time in children; critical path; events.
   * Empty where there is nothing to paint. */
  fill: string;
  critical: string;
  events: string;
}

/** How far beyond the window a bar is drawn, as a share of it: enough for the
 * end to be out of sight, and few enough pixels for any zoom. */
const margin = 0.05;

/** More stretches than this cannot be told apart in a bar. */
const maxStretches = 160;

const maxEvents = 40;

/** How span i is drawn, or null if it lies outside the window. pixels is the
 * width of the window on the screen. */
export function barOf({ t, path }: Analysis, i: number, w: Window, pixels: number): Bar | null {
  const length = w.to - w.from || 1;
  if (t.end[i] < w.from || t.begin[i] > w.to) return null;
  const from = Math.max(t.begin[i], w.from - margin * length);
  const to = Math.min(t.end[i], w.to + margin * length);
  const at = (x: number): number => round(((x - from) / (to - from)) * 100);
  const least = (length / Math.max(1, pixels)) * 0.7; // what is too short to see

  let fill = '';
  if (t.children[i] > 0 && to > from) {
    const busy: number[] = [];
    busyChildren(t, i, (b, e) => void (e > from && b < to && busy.push(b, e)));
    fill = gradient(merge(busy, least), at, 'var(--own)', 'var(--busy)');
  }
  const stretches = path.stretches.get(i);
  const critical = stretches && to > from
    ? gradient(merge(stretches.filter((_, k) => stretches[k | 1] > from && stretches[k & ~1] < to), least), at, 'transparent', 'var(--critical)')
    : '';
  return {
    left: round(((from - w.from) / length) * 100),
    width: round(((to - from) / length) * 100),
    fill,
    critical,
    events: eventTicks(t, i, from, to, at),
  };
}

const round = (x: number): number => Math.round(x * 1000) / 1000;

/** Joins stretches with less than a gap between them. */
function merge(list: number[], gap: number): number[] {
  const out: number[] = [];
  for (let k = 0; k < list.length; k += 2) {
    if (out.length > 0 && list[k] - out[out.length - 1] < gap) out[out.length - 1] = Math.max(out[out.length - 1], list[k + 1]);
    else out.push(list[k], list[k + 1]);
    if (out.length >= 2 * maxStretches) break;
  }
  return out;
}

function gradient(list: number[], at: (x: number) => number, ground: string, ink: string): string {
  if (list.length === 0) return '';
  const stops: string[] = [];
  let last = 0;
  for (let k = 0; k < list.length; k += 2) {
    const a = Math.max(0, at(list[k]));
    const b = Math.min(100, at(list[k + 1]));
    if (a > last) stops.push(`${ground} ${last}% ${a}%`);
    stops.push(`${ink} ${a}% ${b}%`);
    last = b;
  }
  if (last < 100) stops.push(`${ground} ${last}% 100%`);
  return `linear-gradient(90deg,${stops.join(',')})`;
}

function eventTicks(t: Analysis['t'], i: number, from: number, to: number, at: (x: number) => number): string {
  const events = t.spans[i].events;
  if (!events || events.length === 0 || to <= from) return '';
  const seen = new Set<number>();
  for (const e of events.slice(0, maxEvents)) {
    const x = Number(BigInt(e.timeUnixNano ?? 0) - t.start);
    if (x >= from && x <= to) seen.add(Math.round(at(x) * 10) / 10);
  }
  return [...seen].map((p) => `linear-gradient(var(--tick),var(--tick)) ${p}% 0/2px 100% no-repeat`).join(',');
}
