import type { FlameNode } from '../../../model/flame';

export interface Box {
  node: FlameNode;
  /** Pixels. */
  x: number;
  y: number;
  width: number;
}

export const boxHeight = 24;

/** Boxes narrower than this, in pixels, are left out with all below them. */
const least = 0.6;

/** Places the boxes with focus as wide as the picture: what it is in above it,
 * what is in it below. The root itself has no box. */
export function layOut(root: FlameNode, focus: FlameNode, width: number): { boxes: Box[]; height: number } {
  const boxes: Box[] = [];
  for (let n: FlameNode | null = focus.parent; n && n !== root; n = n.parent) boxes.unshift({ node: n, x: 0, y: n.depth * boxHeight, width });
  let deepest = Math.max(0, focus.depth);
  const scale = focus.weight > 0 ? width / focus.weight : 0;
  const queue = [focus];
  for (let k = 0; k < queue.length; k++) {
    const n = queue[k];
    const w = focus.weight > 0 ? n.weight * scale : width;
    if (w < least) continue;
    if (n !== root) {
      boxes.push({ node: n, x: (n.x - focus.x) * scale, y: n.depth * boxHeight, width: w });
      deepest = Math.max(deepest, n.depth);
    }
    queue.push(...n.children);
  }
  return { boxes, height: (deepest + 1) * boxHeight };
}

export const boxAt = (boxes: Box[], x: number, y: number): Box | undefined =>
  boxes.find((b) => x >= b.x && x < b.x + b.width && y >= b.y && y < b.y + boxHeight);
