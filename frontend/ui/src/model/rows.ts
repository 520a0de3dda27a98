import type { Trace } from './trace';

/** The spans that have a row: all that are not below a folded one. */
export function visibleSpans(t: Trace, folded: Uint8Array): Int32Array {
  const rows = new Int32Array(t.count);
  let n = 0;
  for (let i = 0; i < t.count; i += folded[i] ? t.size[i] : 1) rows[n++] = i;
  return rows.subarray(0, n);
}

/** Folds every span that has children at depth levels-1, so that this many
 * levels are shown; 0 shows all. */
export function foldBelow(t: Trace, levels: number): Uint8Array {
  const folded = new Uint8Array(t.count);
  if (levels > 0) for (let i = 0; i < t.count; i++) if (t.depth[i] >= levels - 1 && t.children[i] > 0) folded[i] = 1;
  return folded;
}

/** The row of a span, or of the folded ancestor that hides it. */
export function rowOf(rows: Int32Array, span: number): number {
  let lo = 0;
  let hi = rows.length - 1;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (rows[mid] <= span) lo = mid;
    else hi = mid - 1;
  }
  return lo;
}

/** The only rows of a filtered tree: the spans found and all above them. */
export function matchingRows(t: Trace, found: number[]): Int32Array {
  const keep = new Uint8Array(t.count);
  for (const f of found) for (let i = f; i >= 0 && !keep[i]; i = t.parent[i]) keep[i] = 1;
  return Int32Array.from({ length: t.count }, (_, i) => i).filter((i) => keep[i] === 1);
}

/** Unfolds what hides a span. The same array if nothing does. */
export function reveal(t: Trace, folded: Uint8Array, span: number): Uint8Array {
  let next = folded;
  for (let i = t.parent[span]; i >= 0; i = t.parent[i]) {
    if (!folded[i]) continue;
    if (next === folded) next = folded.slice();
    next[i] = 0;
  }
  return next;
}
