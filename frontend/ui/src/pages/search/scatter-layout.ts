import type { TraceSummary } from '../../api/summaries';
import type { Area } from '../../model/results';
import { durationAxis, radius, timeAxis } from '../../model/scale';
import type { Scale } from '../../model/search-address';

/** The plot in pixels: its height, and the room around it for labels and for the
 * points that lie on its edge. */
export const plot = { height: 168, left: 64, right: 14, top: 10, bottom: 22 };

/** A trace and where it is drawn. */
export interface Place {
  trace: TraceSummary;
  x: number;
  y: number;
  r: number;
}

export interface Layout {
  /** In the order of drawing: errors last, so that none is hidden. */
  places: Place[];
  rows: { y: number; label: string }[];
  columns: { x: number; label: string }[];
  areaOf(box: { x0: number; x1: number; y0: number; y1: number }): Area;
  boxOf(area: Area): { x0: number; x1: number; y0: number; y1: number };
}

export function layOut(list: TraceSummary[], scale: Scale, width: number): Layout {
  const w = Math.max(1, width - plot.left - plot.right);
  const h = plot.height - plot.top - plot.bottom;
  // Nanoseconds since 1970 are more than a number holds exactly; from the first
  // trace on they are not.
  const base = list.reduce((a, t) => (t.start < a ? t.start : a), list[0]?.start ?? 0n);
  const baseMs = Number(base) / 1e6;
  const ms = (start: bigint): number => baseMs + Number(start - base) / 1e6;
  const times = timeAxis(list.map((t) => ms(t.start)), Math.max(2, Math.floor(w / 110)));
  const durations = durationAxis(list.map((t) => t.duration), scale);
  const x = (v: number): number => plot.left + times.at(v) * w;
  const y = (v: number): number => plot.top + (1 - durations.at(v)) * h;
  const moment = (px: number): bigint => base + BigInt(Math.round((times.value((px - plot.left) / w) - baseMs) * 1e6));
  const duration = (py: number): number => Math.max(0, durations.value(1 - (py - plot.top) / h));
  return {
    places: list
      .map((trace) => ({ trace, x: x(ms(trace.start)), y: y(trace.duration), r: radius(trace.spans) }))
      .sort((a, b) => Number(a.trace.errors > 0) - Number(b.trace.errors > 0) || b.r - a.r),
    rows: durations.ticks.map((t) => ({ y: Math.round(y(t.value)) + 0.5, label: t.label })),
    columns: times.ticks.map((t) => ({ x: Math.round(x(t.value)) + 0.5, label: t.label })),
    areaOf: (b) => ({ from: moment(b.x0), to: moment(b.x1), longest: duration(b.y0), shortest: duration(b.y1) }),
    boxOf: (a) => {
      const inside = (v: number, lo: number, hi: number): number => Math.min(hi, Math.max(lo, v));
      return {
        x0: inside(x(ms(a.from)), plot.left, width - plot.right), x1: inside(x(ms(a.to)), plot.left, width - plot.right),
        y0: inside(y(a.longest), plot.top, plot.height - plot.bottom), y1: inside(y(a.shortest), plot.top, plot.height - plot.bottom),
      };
    },
  };
}

/** Circles, and diamonds for errors, which differ in more than colour. */
export function pathOf({ x, y, r, trace }: Place): string {
  const n = (v: number): string => v.toFixed(1);
  if (trace.errors > 0) {
    const d = r * 1.25;
    return `M${n(x)} ${n(y - d)}l${n(d)} ${n(d)}l${n(-d)} ${n(d)}l${n(-d)} ${n(-d)}z`;
  }
  return `M${n(x - r)} ${n(y)}a${n(r)} ${n(r)} 0 1 0 ${n(2 * r)} 0a${n(r)} ${n(r)} 0 1 0 ${n(-2 * r)} 0`;
}

/** The place at a point, or one close by; what is drawn on top goes first. */
export function nearest(places: Place[], x: number, y: number): Place | null {
  let best: Place | null = null;
  let bestD = 9; // beyond the edge of a point, a pointer misses it
  for (const p of places) {
    const d = Math.hypot(p.x - x, p.y - y) - p.r;
    if (d > bestD) continue;
    best = p;
    bestD = Math.max(0, d); // of those under the pointer the last wins
  }
  return best;
}
