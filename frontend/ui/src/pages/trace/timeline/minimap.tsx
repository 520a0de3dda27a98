import { useEffect, useRef } from 'preact/hooks';
import { useTheme } from '../../../app/theme';
import { useSize } from '../../../components/use-size';
import { formatDuration } from '../../../model/format';
import type { Trace } from '../../../model/trace';
import { servicePaint } from '../paint';
import { clampWindow, isWhole, pan, type Window } from './window';

interface Props {
  t: Trace;
  window: Window;
  onWindow: (w: Window) => void;
}

type Drag = { kind: 'new' | 'from' | 'to' | 'move'; x: number; w: Window };

/** The whole trace in little, with the part that the waterfall shows: drag over
 * it to choose another, drag its edges or the part itself, double-click for all. */
export function Minimap({ t, window: w, onWindow }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const drag = useRef<Drag | null>(null);
  const size = useSize(box);
  const theme = useTheme();
  useEffect(() => paint(canvas.current!, t, size.width, size.height), [t, size, theme]);

  const duration = t.duration || 1;
  const at = (e: PointerEvent): number => {
    const b = box.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - b.left) / b.width)) * duration;
  };
  const down = (e: PointerEvent): void => {
    if (e.button !== 0) return;
    e.preventDefault();
    box.current!.setPointerCapture(e.pointerId);
    const edge = (e.target as HTMLElement).dataset.edge as 'from' | 'to' | undefined;
    const x = at(e);
    const inside = !isWhole(w, duration) && x > w.from && x < w.to;
    drag.current = { kind: edge ?? (inside ? 'move' : 'new'), x, w };
  };
  const move = (e: PointerEvent): void => {
    const d = drag.current;
    if (!d) return;
    const x = at(e);
    if (d.kind === 'move') onWindow(clampWindow(d.w.from + x - d.x, d.w.to + x - d.x, duration));
    else {
      const fixed = d.kind === 'from' ? d.w.to : d.kind === 'to' ? d.w.from : d.x;
      if (Math.abs(x - fixed) > duration / 500) onWindow(clampWindow(Math.min(x, fixed), Math.max(x, fixed), duration));
    }
  };
  const up = (): void => { drag.current = null; };
  const key = (edge: 'from' | 'to') => (e: KeyboardEvent): void => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, PageDown: -0.1, PageUp: 0.1 }[e.key];
    if (step === undefined) return;
    e.preventDefault();
    e.stopPropagation();
    if (e.shiftKey) onWindow(pan(w, step, duration));
    else if (edge === 'from') onWindow(clampWindow(Math.min(w.from + step * duration, w.to - duration / 1000), w.to, duration));
    else onWindow(clampWindow(w.from, Math.max(w.to + step * duration, w.from + duration / 1000), duration));
  };
  const percent = (x: number): string => `${(x / duration) * 100}%`;
  const handle = (edge: 'from' | 'to') => (
    <div class="handle" data-edge={edge} role="slider" tabIndex={0} aria-label={edge === 'from' ? 'Start of the shown part' : 'End of the shown part'}
      aria-valuemin={0} aria-valuemax={Math.round(duration)} aria-valuenow={Math.round(w[edge])} aria-valuetext={formatDuration(w[edge])}
      style={{ left: percent(w[edge]) }} onKeyDown={key(edge)} />
  );
  return (
    <div ref={box} class={isWhole(w, duration) ? 'minimap' : 'minimap zoomed'} onPointerDown={down} onPointerMove={move} onPointerUp={up} onPointerCancel={up}
      onDblClick={() => onWindow({ from: 0, to: t.duration })}>
      <canvas ref={canvas} aria-hidden="true" />
      <div class="shade" style={{ left: 0, width: percent(w.from) }} />
      <div class="shade" style={{ left: percent(w.to), right: 0 }} />
      {handle('from')}
      {handle('to')}
    </div>
  );
}

/** One line a span, as thin as it must be; errors are marked again at the end,
 * so that nothing lies over them. */
function paint(canvas: HTMLCanvasElement, t: Trace, width: number, height: number): void {
  const scale = devicePixelRatio || 1;
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const c = canvas.getContext('2d');
  if (!c || width === 0 || t.count === 0) return;
  c.scale(scale, scale);
  const { service, error } = servicePaint(t);
  const room = height - 6;
  const step = Math.min(7, room / t.count);
  const line = Math.max(1 / scale, Math.min(4, step * 0.75));
  const x = width / (t.duration || 1);
  const draw = (i: number): void => c.fillRect(t.begin[i] * x, 3 + i * step, Math.max(1, (t.end[i] - t.begin[i]) * x), line);
  for (let s = 0; s < t.services.length; s++) {
    c.fillStyle = service[s];
    for (let i = 0; i < t.count; i++) if (t.service[i] === s) draw(i);
  }
  c.fillStyle = error;
  for (let i = 0; i < t.count; i++) if (t.error[i]) draw(i);
}
