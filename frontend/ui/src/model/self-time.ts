import type { Trace } from './trace';

/** Calls back for each stretch of span i in which children run, in order and
 * not overlapping. */
export function busyChildren(t: Trace, i: number, each: (from: number, to: number) => void): void {
  const begin = t.begin[i];
  const end = t.end[i];
  let from = NaN;
  let to = NaN;
  for (let c = i + 1; c < i + t.size[i]; c += t.size[c]) {
    const b = Math.max(begin, t.begin[c]);
    const e = Math.min(end, t.end[c]);
    if (e <= b) continue;
    if (b <= to) {
      if (e > to) to = e;
      continue;
    }
    if (to > from) each(from, to);
    from = b;
    to = e;
  }
  if (to > from) each(from, to);
}

/** For each span the time in which none of its children runs. */
export function selfTimes(t: Trace): Float64Array {
  const self = new Float64Array(t.count);
  for (let i = 0; i < t.count; i++) {
    let own = t.end[i] - t.begin[i];
    if (t.children[i] > 0) busyChildren(t, i, (from, to) => void (own -= to - from));
    self[i] = own;
  }
  return self;
}
