import { useMemo, useRef, useState } from 'preact/hooks';
import type { TraceSummary } from '../../api/summaries';
import { href, navigate } from '../../app/router';
import { Segmented } from '../../components/segmented';
import { useSize } from '../../components/use-size';
import { formatDuration, formatTime, plural } from '../../model/format';
import { inArea, titleOf, type Area } from '../../model/results';
import type { Scale } from '../../model/search-address';
import { layOut, nearest, pathOf, plot, type Place } from './scatter-layout';

interface Props {
  list: TraceSummary[];
  area: Area | null;
  onArea: (area: Area | null) => void;
  scale: Scale;
  onScale: (scale: Scale) => void;
  /** The trace that the pointer or the focus is on, here or in the list. */
  pointed: string | null;
  onPoint: (id: string | null) => void;
  spans: Record<string, string>;
}

interface Box { x0: number; y0: number; x1: number; y1: number }

/** Traces as points, duration over time. Dragging selects an area, a click opens
 * a trace. All of it is in the list too, for those who do not see or point. */
export function Scatter({ list, area, onArea, scale, onScale, pointed, onPoint, spans }: Props) {
  const frame = useRef<HTMLDivElement>(null);
  const width = useSize(frame).width;
  const [drag, setDrag] = useState<Box | null>(null);
  const from = useRef<{ x: number; y: number; id: number } | null>(null);
  const layout = useMemo(() => layOut(list, scale, width), [list, scale, width]);
  // Points are drawn once for an answer, not again for each move of the pointer.
  const points = useMemo(() => layout.places.map((p) => (
    <path key={p.trace.traceId} d={pathOf(p)} class={`point ${p.trace.errors ? 'error' : ''} ${area && !inArea(p.trace, area) ? 'out' : ''}`} />
  )), [layout, area]);

  const place = (e: PointerEvent) => {
    const r = frame.current!.getBoundingClientRect();
    return { x: e.clientX - r.left, y: e.clientY - r.top };
  };
  const under = (e: PointerEvent | MouseEvent): Place | null => {
    const r = frame.current!.getBoundingClientRect();
    return nearest(layout.places, e.clientX - r.left, e.clientY - r.top);
  };
  const onPointerDown = (e: PointerEvent) => {
    if (e.button !== 0) return;
    from.current = { ...place(e), id: e.pointerId };
  };
  const onPointerMove = (e: PointerEvent) => {
    const p = place(e);
    const f = from.current;
    if (!f) return onPoint(under(e)?.trace.traceId ?? null);
    if (!drag && Math.hypot(p.x - f.x, p.y - f.y) < 5) return;
    if (!drag) frame.current!.setPointerCapture(f.id);
    onPoint(null);
    const cut = (v: number, lo: number, hi: number): number => Math.min(hi, Math.max(lo, v));
    const x = cut(p.x, plot.left, width - plot.right);
    const y = cut(p.y, plot.top, plot.height - plot.bottom);
    setDrag({ x0: Math.min(cut(f.x, plot.left, width - plot.right), x), x1: Math.max(cut(f.x, plot.left, width - plot.right), x), y0: Math.min(f.y, y), y1: Math.max(f.y, y) });
  };
  const onPointerUp = (e: PointerEvent) => {
    if (!from.current) return;
    from.current = null;
    if (drag) {
      setDrag(null);
      return onArea(layout.areaOf(drag));
    }
    const hit = under(e);
    if (!hit) return onArea(null);
    const { traceId } = hit.trace;
    const to = href('/trace/' + traceId, spans[traceId] ? { uiFind: spans[traceId] } : undefined);
    if (e.ctrlKey || e.metaKey) window.open(to);
    else navigate(to);
  };
  const stop = () => {
    from.current = null;
    setDrag(null);
  };
  const box = drag ?? (area ? layout.boxOf(area) : null);
  const at = drag || !pointed ? null : (layout.places.find((p) => p.trace.traceId === pointed) ?? null);
  const errors = list.filter((t) => t.errors > 0).length;
  return (
    <figure class="scatter" aria-label="Duration over time">
      <div class="scatter-head">
        <span class="plot-key"><svg viewBox="-6 -6 12 12" aria-hidden="true"><circle r="4" class="point" /></svg>trace</span>
        <span class="plot-key"><svg viewBox="-6 -6 12 12" aria-hidden="true"><path d="M0-5 5 0 0 5-5 0z" class="point error" /></svg>with errors</span>
        <span class="plot-key hint">size: spans · drag to select</span>
        <Segmented label="Scale of durations" value={scale} onChange={onScale} choices={[{ value: 'log', label: 'Log' }, { value: 'linear', label: 'Linear' }]} />
      </div>
      <div class={`scatter-plot ${at ? 'over' : ''}`} ref={frame} onPointerDown={onPointerDown} onPointerMove={onPointerMove} onPointerUp={onPointerUp}
        onPointerCancel={stop} onPointerLeave={() => onPoint(null)}>
        {width > 0 && (
          <svg width={width} height={plot.height} role="img" aria-label={describe(list, errors)}>
            {layout.rows.map((r) => <g key={r.label}><path class="grid" d={`M${plot.left} ${r.y}H${width - plot.right}`} /><text x={plot.left - 8} y={r.y + 4} text-anchor="end">{r.label}</text></g>)}
            {layout.columns.map((c) => <g key={c.label}><path class="grid" d={`M${c.x} ${plot.top}V${plot.height - plot.bottom}`} /><text x={Math.min(c.x, width - 32)} y={plot.height - 5} text-anchor="middle">{c.label}</text></g>)}
            {points}
            {box && <rect class="area" x={box.x0} y={box.y0} width={box.x1 - box.x0} height={box.y1 - box.y0} />}
            {at && <path d={pathOf(at)} class={`point pointed ${at.trace.errors ? 'error' : ''}`} />}
          </svg>
        )}
        {at && <Tip place={at} width={width} />}
      </div>
    </figure>
  );
}

function describe(list: TraceSummary[], errors: number): string {
  const durations = list.map((t) => t.duration);
  return `Duration over time of ${plural(list.length, 'trace')}, from ${formatDuration(Math.min(...durations))} to ${formatDuration(Math.max(...durations))}, ${errors} with errors. The list below has the same traces.`;
}

function Tip({ place: { x, y, r, trace: t }, width }: { place: Place; width: number }) {
  const left = x > width / 2;
  return (
    <div class="tip" aria-hidden="true" style={{ top: `${Math.max(0, Math.min(y - 24, plot.height - 72))}px`, [left ? 'right' : 'left']: `${left ? width - x + r + 8 : x + r + 8}px` }}>
      <strong>{titleOf(t)}</strong>
      <span>{formatDuration(t.duration)} · {plural(t.spans, 'span')}{t.errors > 0 && <> · <b>{plural(t.errors, 'error')}</b></>}</span>
      <span>{formatTime(t.start)}</span>
    </div>
  );
}
