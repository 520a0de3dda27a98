import { serviceSlot } from '../../../app/service-colors';
import { serviceColors } from '../../../model/colors';
import type { FlameNode } from '../../../model/flame';
import { cssColor } from '../paint';
import { boxHeight, type Box } from './layout';

export interface Look {
  current: FlameNode | null;
  focus: FlameNode;
  /** null while nothing is looked for. */
  matches: ((n: FlameNode) => boolean) | null;
}

/** Draws the boxes. Text is on the ground of the box with the colour at its
 * edge, so that it can be read on every colour in both themes. */
export function paintFlame(canvas: HTMLCanvasElement, boxes: Box[], width: number, height: number, look: Look): void {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const c = canvas.getContext('2d');
  if (!c) return;
  c.scale(scale, scale);
  const colors = Array.from({ length: serviceColors }, (_, i) => cssColor(`--service-${i}`));
  const [surface, ink, error, accent, match] = ['--surface', '--ink', '--error', '--ink', '--match'].map(cssColor);
  const font = getComputedStyle(document.body).fontFamily;
  c.font = `500 12px ${font}`;
  c.textBaseline = 'middle';

  for (const b of boxes) {
    const n = b.node;
    const x = b.x + 0.5;
    const w = Math.max(0.5, b.width - 1);
    const y = b.y + 1;
    const h = boxHeight - 2;
    const above = n.depth < look.focus.depth;
    const found = look.matches?.(n) ?? false;
    c.globalAlpha = look.matches && !found ? 0.35 : above ? 0.6 : 1;
    c.fillStyle = surface;
    c.fillRect(x, y, w, h);
    const solid = c.globalAlpha;
    c.fillStyle = found ? match : colors[serviceSlot(n.service)];
    if (!found) c.globalAlpha = solid * 0.32;
    c.fillRect(x, y, w, h);
    c.globalAlpha = solid;
    c.fillStyle = colors[serviceSlot(n.service)];
    c.fillRect(x, y, Math.min(3, w), h);
    if (n.errors > 0) {
      c.fillStyle = error;
      c.fillRect(x, y + h - 2, w, 2);
    }
    if (n === look.current) {
      c.strokeStyle = accent;
      c.lineWidth = 1.5;
      c.strokeRect(x + 0.75, y + 0.75, Math.max(0, w - 1.5), h - 1.5);
    }
    if (w > 34) {
      c.fillStyle = ink;
      drawLabel(c, n, x + 8, y + h / 2 + 0.5, w - 12);
    }
  }
  c.globalAlpha = 1;
}

/** The name, and as much of the service as there is room for. */
function drawLabel(c: CanvasRenderingContext2D, n: FlameNode, x: number, y: number, room: number): void {
  const count = n.count > 1 ? ` ×${n.count}` : '';
  const whole = `${n.name}${count}`;
  const width = c.measureText(whole).width;
  if (width > room) {
    c.fillText(cut(c, whole, room), x, y);
    return;
  }
  c.fillText(whole, x, y);
  const left = room - width - 10;
  if (left < 30) return;
  const solid = c.globalAlpha;
  c.globalAlpha = solid * 0.7;
  c.fillText(cut(c, n.service, left), x + width + 10, y);
  c.globalAlpha = solid;
}

function cut(c: CanvasRenderingContext2D, text: string, room: number): string {
  if (c.measureText(text).width <= room) return text;
  let lo = 0;
  let hi = text.length;
  while (lo < hi) {
    const mid = (lo + hi + 1) >> 1;
    if (c.measureText(text.slice(0, mid) + '…').width <= room) lo = mid;
    else hi = mid - 1;
  }
  return lo > 0 ? text.slice(0, lo) + '…' : '';
}
