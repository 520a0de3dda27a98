import { nameOf, serviceOf, type Trace } from './trace';

/** How the spans of one group took their time. Nanoseconds. */
export interface Stats {
  service: string;
  /** Empty in groups by service. */
  name: string;
  count: number;
  errors: number;
  total: number;
  self: number;
  critical: number;
  average: number;
  p50: number;
  p95: number;
  max: number;
  /** The span that took longest. */
  longest: number;
}

export type Grouping = 'operation' | 'service';

export function statistics(t: Trace, self: Float64Array, critical: Float64Array, by: Grouping): Stats[] {
  const groups = new Map<string, number[]>();
  for (let i = 0; i < t.count; i++) {
    const key = by === 'service' ? String(t.service[i]) : `${t.service[i]}\0${nameOf(t, i)}`;
    const list = groups.get(key);
    if (list) list.push(i);
    else groups.set(key, [i]);
  }
  return [...groups.values()].map((spans) => summarise(t, self, critical, spans, by));
}

function summarise(t: Trace, self: Float64Array, critical: Float64Array, spans: number[], by: Grouping): Stats {
  const s: Stats = {
    service: serviceOf(t, spans[0]), name: by === 'service' ? '' : nameOf(t, spans[0]),
    count: spans.length, errors: 0, total: 0, self: 0, critical: 0, average: 0, p50: 0, p95: 0, max: -1, longest: spans[0],
  };
  const durations = new Float64Array(spans.length);
  spans.forEach((i, k) => {
    const d = t.end[i] - t.begin[i];
    durations[k] = d;
    s.total += d;
    s.self += self[i];
    s.critical += critical[i];
    s.errors += t.error[i];
    if (d > s.max) {
      s.max = d;
      s.longest = i;
    }
  });
  durations.sort();
  s.average = s.total / s.count;
  s.p50 = percentile(durations, 0.5);
  s.p95 = percentile(durations, 0.95);
  return s;
}

/** The least value that is not below a share p of them. */
export const percentile = (sorted: Float64Array, p: number): number => sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
