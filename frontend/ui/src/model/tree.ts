import type { OTLPSpan } from '../api/otlp';

export type Problem =
  | { kind: 'missing-parent'; parent: string }
  | { kind: 'duplicate-id' }
  | { kind: 'own-ancestor' };

export interface Tree {
  /** By index into the spans that were given; -1 for roots. */
  parent: Int32Array;
  preorder: Int32Array;
  problems: Map<number, Problem[]>;
}

/** Finds the parent of each span and puts the spans in the order of the tree.
 * Every span is in it, whatever their parents say. begin may be NaN. */
export function order(spans: OTLPSpan[], begin: Float64Array, end: Float64Array): Tree {
  const n = spans.length;
  const problems = new Map<number, Problem[]>();
  const report = (i: number, p: Problem): void => void problems.set(i, [...(problems.get(i) ?? []), p]);

  const byID = new Map<string, number>();
  spans.forEach((s, i) => {
    if (byID.has(s.spanId)) report(i, { kind: 'duplicate-id' });
    else byID.set(s.spanId, i);
  });
  const parent = new Int32Array(n).fill(-1);
  spans.forEach((s, i) => {
    if (!s.parentSpanId || /^0*$/.test(s.parentSpanId)) return;
    const p = byID.get(s.parentSpanId);
    if (p === undefined) report(i, { kind: 'missing-parent', parent: s.parentSpanId });
    else if (p === i) report(i, { kind: 'own-ancestor' });
    else parent[i] = p;
  });

  const sorted = Int32Array.from({ length: n }, (_, i) => i).sort((a, b) => compare(spans, begin, end, a, b));
  for (const i of cut(parent, sorted)) report(i, { kind: 'own-ancestor' });
  return { parent, preorder: walk(parent, sorted), problems };
}

/** Earlier first; of two that start together the longer, which may be around
 * the other; then by ID, so that the order is the same at every visit. */
function compare(spans: OTLPSpan[], begin: Float64Array, end: Float64Array, a: number, b: number): number {
  const d = (begin[a] || 0) - (begin[b] || 0) || (end[b] || 0) - (end[a] || 0);
  if (d !== 0) return d;
  const x = spans[a].spanId;
  const y = spans[b].spanId;
  return x < y ? -1 : x > y ? 1 : a - b;
}

/** Opens circles of parents at their earliest span and returns those spans. */
function cut(parent: Int32Array, sorted: Int32Array): number[] {
  const seen = new Int32Array(parent.length).fill(-1); // the walk that came by
  const opened: number[] = [];
  for (const from of sorted) {
    let i = from;
    while (i >= 0 && seen[i] < 0) {
      seen[i] = from;
      i = parent[i];
    }
    if (i < 0 || seen[i] !== from) continue; // a root, or known ground
    const circle = new Set<number>();
    while (!circle.has(i)) {
      circle.add(i);
      i = parent[i];
    }
    const first = sorted.find((s) => circle.has(s))!;
    parent[first] = -1;
    opened.push(first);
  }
  return opened;
}

/** Parents before children, children in sorted order. */
function walk(parent: Int32Array, sorted: Int32Array): Int32Array {
  const n = parent.length;
  // Lists of children in one array: those of p are in list[offset[p+1]…].
  // Slot 0 is for the roots.
  const offset = new Int32Array(n + 2);
  for (let i = 0; i < n; i++) offset[parent[i] + 2]++;
  for (let p = 1; p < n + 2; p++) offset[p] += offset[p - 1];
  const list = new Int32Array(n);
  const fill = offset.slice();
  for (const i of sorted) list[fill[parent[i] + 1]++] = i;

  const preorder = new Int32Array(n);
  const stack: number[] = [];
  const push = (p: number): void => {
    for (let k = offset[p + 2] - 1; k >= offset[p + 1]; k--) stack.push(list[k]);
  };
  push(-1);
  for (let k = 0; stack.length > 0; k++) {
    const i = stack.pop()!;
    preorder[k] = i;
    push(i);
  }
  return preorder;
}
