import type { ComponentChild } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { tickLabel } from '../../../model/ticks';
import { clampWindow, type Window } from './window';

interface Props {
  window: Window;
  duration: number;
  marks: { at: number[]; step: number };
  corner: ComponentChild;
  onWindow: (w: Window) => void;
}

/** The heads of the columns: times since the start. Dragging over them shows
 * that stretch. */
export function Ruler({ window: w, duration, marks, corner, onWindow }: Props) {
  const time = useRef<HTMLDivElement>(null);
  const [drag, setDrag] = useState<{ a: number; b: number } | null>(null);
  const share = (e: PointerEvent): number => {
    const box = time.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (e.clientX - box.left) / box.width));
  };
  const end = (): void => {
    if (drag && Math.abs(drag.b - drag.a) > 0.01) {
      const at = (x: number): number => w.from + x * (w.to - w.from);
      onWindow(clampWindow(at(Math.min(drag.a, drag.b)), at(Math.max(drag.a, drag.b)), duration));
    }
    setDrag(null);
  };
  return (
    <div class="ruler" role="row" aria-rowindex={1}>
      <div class="corner" role="columnheader">{corner}</div>
      <div ref={time} class="times" role="columnheader" aria-label="Time" title="Drag to zoom"
        onPointerDown={(e) => {
          e.preventDefault();
          e.currentTarget.setPointerCapture(e.pointerId);
          setDrag({ a: share(e), b: share(e) });
        }}
        onPointerMove={(e) => drag && setDrag({ ...drag, b: share(e) })}
        onPointerUp={end} onPointerCancel={() => setDrag(null)}>
        {marks.at.map((at) => {
          const left = ((at - w.from) / (w.to - w.from)) * 100;
          return <span key={at} class={left > 95 ? 'last' : ''} style={{ left: `${left}%` }}>{tickLabel(at, marks.step, w.to)}</span>;
        })}
        {drag && <i class="dragged" style={{ left: `${Math.min(drag.a, drag.b) * 100}%`, width: `${Math.abs(drag.b - drag.a) * 100}%` }} />}
      </div>
    </div>
  );
}
