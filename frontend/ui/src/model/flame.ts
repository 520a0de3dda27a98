import { nameOf, serviceOf, type Trace } from './trace';

/** A box of the flame graph: the calls of one operation from the same place. */
export interface FlameNode {
  service: string;
  name: string;
  parent: FlameNode | null;
  children: FlameNode[];
  depth: number;
  /** Spans in it. */
  count: number;
  errors: number;
  /** Sum of their durations. */
  total: number;
  /** Sum of their self times. */
  self: number;
  /** Self time of all that is in and below it: its width. */
  weight: number;
  /** Left edge, in the same measure. */
  x: number;
  /** Its span that took longest. */
  span: number;
}

/** Merges spans of the same service and name that were called from the same
 * place. A box is as wide as the self times in and below it, so widths add up
 * however much ran at once. */
export function buildFlame(t: Trace, self: Float64Array): FlameNode {
  const root = newNode(null, '', '', -1);
  const lookups = new Map<FlameNode, Map<string, FlameNode>>();
  const of = new Array<FlameNode>(t.count);
  const longest = new Map<FlameNode, number>();
  for (let i = 0; i < t.count; i++) {
    const parent = t.parent[i] < 0 ? root : of[t.parent[i]];
    let byKey = lookups.get(parent);
    if (!byKey) lookups.set(parent, (byKey = new Map()));
    const key = `${t.service[i]}\0${nameOf(t, i)}`;
    let node = byKey.get(key);
    if (!node) {
      node = newNode(parent, serviceOf(t, i), nameOf(t, i), parent.depth + 1);
      node.span = i;
      parent.children.push(node);
      byKey.set(key, node);
    }
    of[i] = node;
    const d = t.end[i] - t.begin[i];
    node.count++;
    node.errors += t.error[i];
    node.total += d;
    node.self += self[i];
    if (d > (longest.get(node) ?? -1)) {
      longest.set(node, d);
      node.span = i;
    }
  }
  weigh(root);
  return root;
}

const newNode = (parent: FlameNode | null, service: string, name: string, depth: number): FlameNode => ({
  service, name, parent, children: [], depth, count: 0, errors: 0, total: 0, self: 0, weight: 0, x: 0, span: -1,
});

/** Weights from the leaves up, then places from the root down. Without
 * recursion: traces can be deeper than the stack. */
function weigh(root: FlameNode): void {
  const all = allNodes(root);
  for (let k = all.length - 1; k >= 0; k--) {
    const n = all[k];
    n.weight += n.self;
    if (n.parent) n.parent.weight += n.weight;
  }
  for (const n of all) {
    n.children.sort((a, b) => b.weight - a.weight);
    let x = n.x;
    for (const c of n.children) {
      c.x = x;
      x += c.weight;
    }
  }
}

/** Parents before children. */
export function allNodes(root: FlameNode): FlameNode[] {
  const all = [root];
  for (let k = 0; k < all.length; k++) all.push(...all[k].children);
  return all;
}
