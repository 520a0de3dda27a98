import { childrenOf, type Trace } from './trace';

/** The chain of work that decides how long the trace takes: to make the trace
 * shorter, one of these stretches must become shorter. */
export interface CriticalPath {
  /** From, to, from, to … by span, in order; only spans that are on the path. */
  stretches: Map<number, number[]>;
  /** How long each span is on it. */
  time: Float64Array;
  total: number;
}

interface Frame {
  span: number;
  /** Where the span begins, or its parent if that is later. */
  begin: number;
  /** What lies after is explained. */
  now: number;
  /** Children that began before the frame's end, the last to end first. */
  children: number[];
  next: number;
}

/** Goes backwards from the end of each root: a span waited last for the child
 * that ended last before that moment; between children it was busy itself. A
 * child that outlives its parent counts up to the parent's end, since the parent
 * did not wait for the rest. Roots are taken as if one span were around them. */
export function criticalPath(t: Trace): CriticalPath {
  const path: CriticalPath = { stretches: new Map(), time: new Float64Array(t.count), total: 0 };
  const add = (span: number, from: number, to: number): void => {
    if (to <= from || span < 0) return;
    const list = path.stretches.get(span);
    if (list) list.push(to, from); // backwards, turned round below
    else path.stretches.set(span, [to, from]);
    path.time[span] += to - from;
    path.total += to - from;
  };
  const enter = (span: number, begin: number, limit: number): Frame => {
    const children = [...(span < 0 ? t.roots : childrenOf(t, span))].filter((c) => t.begin[c] < limit);
    children.sort((a, b) => t.end[b] - t.end[a] || t.begin[a] - t.begin[b]);
    return { span, begin, now: limit, children, next: 0 };
  };

  const stack = [enter(-1, 0, t.duration)];
  while (stack.length > 0) {
    const f = stack[stack.length - 1];
    // At first every child that runs over the end is cut there; later, one that
    // runs over this moment ran beside what is on the path already.
    const fresh = f.next === 0;
    let child = -1;
    while (f.next < f.children.length && child < 0) {
      const c = f.children[f.next++];
      if ((fresh || t.end[c] <= f.now) && t.begin[c] < f.now && t.end[c] > f.begin) child = c;
    }
    if (child < 0) {
      add(f.span, f.begin, f.now);
      stack.pop();
      continue;
    }
    const end = Math.min(t.end[child], f.now);
    add(f.span, end, f.now);
    f.now = Math.max(f.begin, t.begin[child]);
    stack.push(enter(child, f.now, end));
  }
  for (const list of path.stretches.values()) list.reverse();
  return path;
}
