import type { ComponentChild, RefObject } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { rowOf } from '../../../model/rows';
import { ticks } from '../../../model/ticks';
import type { Analysis } from '../analysis';
import { Row, rowHeight } from './row';
import { Ruler } from './ruler';
import type { Window } from './window';

/** Rows beyond each edge of what is seen, so that scrolling shows no gaps. */
const overscan = 5;

/** Height of the ruler, which stays at the top. */
const rulerHeight = 26;

interface Props {
  analysis: Analysis;
  rows: Int32Array;
  folded: Uint8Array;
  selected: number;
  open: boolean;
  marked: Uint8Array | null;
  window: Window;
  nameWidth: number;
  /** Size of the scrolling part. */
  width: number;
  height: number;
  scroller: RefObject<HTMLDivElement | null>;
  /** What stands in the corner above the names. */
  corner: ComponentChild;
  onWindow: (w: Window) => void;
  onToggle: (span: number) => void;
  onSelect: (span: number, open: boolean) => void;
}

/** The spans as rows, of which only those in sight are in the document. */
export function Waterfall(p: Props) {
  const { analysis, rows, window: w, selected } = p;
  const { t } = analysis;
  const [top, setTop] = useState(0);
  const visible = Math.ceil(p.height / rowHeight);
  const first = Math.max(0, Math.min(Math.floor(top / rowHeight), rows.length - visible) - overscan);
  const last = Math.min(rows.length, first + visible + 2 * overscan);
  const pixels = Math.max(0, p.width - p.nameWidth - timePadding);
  const indent = Math.min(12, (p.nameWidth * 0.55) / Math.max(1, t.levels));
  const marks = useMemo(() => ticks(w.from, w.to, Math.max(2, Math.floor(pixels / 90))), [w, pixels]);

  // While only the position changes, the rows that stay are the same objects,
  // which Preact does not look into again.
  const made = useMemo(() => new Map<number, ComponentChild>(), [analysis, rows, p.folded, selected, p.marked, w, pixels, indent]);
  const shown: ComponentChild[] = [];
  for (let row = first; row < last; row++) {
    const span = rows[row];
    let el = made.get(span);
    if (!el) {
      el = (
        <Row key={span} analysis={analysis} span={span} row={row} window={w} pixels={pixels} indent={indent}
          folded={p.folded[span] === 1} selected={span === selected} match={p.marked && p.marked[span] === 1} />
      );
      made.set(span, el);
    }
    shown.push(el);
  }
  if (made.size > 2000) made.clear();

  const active = rowOf(rows, selected);
  useKeepInSight(p.scroller, rows, selected, visible);
  // After a resize or fold the browser may have moved the content itself.
  useEffect(() => setTop(p.scroller.current?.scrollTop ?? 0), [rows, p.height]);

  const click = (e: MouseEvent): void => {
    const target = e.target as Element;
    const row = target.closest<HTMLElement>('[data-span]');
    if (!row || !window.getSelection()?.isCollapsed) return;
    const span = Number(row.dataset.span);
    if (target.closest('.toggle')) p.onToggle(span);
    else p.onSelect(span, !(p.open && span === selected));
  };
  return (
    <div ref={p.scroller} class="waterfall" role="treegrid" tabIndex={0} data-rest aria-label="Spans" aria-rowcount={rows.length + 1}
      aria-activedescendant={active >= first && active < last ? `span-${rows[active]}` : undefined}
      style={{ '--name': `${p.nameWidth}px`, '--step': `${indent}px` }}
      onScroll={(e) => setTop(e.currentTarget.scrollTop)}>
      <Ruler window={w} duration={t.duration} marks={marks} corner={p.corner} onWindow={p.onWindow} />
      <div class="rows" role="rowgroup" style={{ height: `${rows.length * rowHeight}px` }} onClick={click}>
        <div class="grid-lines" aria-hidden="true">
          {marks.at.map((at) => <i key={at} style={{ left: `${((at - w.from) / (w.to - w.from)) * 100}%` }} />)}
        </div>
        {shown}
      </div>
    </div>
  );
}

/** Room at the right of the time column. */
export const timePadding = 16;

/** Scrolls to the selected span when it changes and is out of sight. */
function useKeepInSight(scroller: RefObject<HTMLDivElement | null>, rows: Int32Array, selected: number, visible: number): void {
  const last = useRef(-1);
  useLayoutEffect(() => {
    const el = scroller.current;
    if (!el || visible <= 0 || last.current === selected) return;
    const initial = last.current < 0;
    last.current = selected;
    const y = rowOf(rows, selected) * rowHeight;
    const room = el.clientHeight - rulerHeight;
    const above = y < el.scrollTop;
    const below = y + rowHeight > el.scrollTop + room;
    if (!above && !below) return;
    const near = Math.abs(y - el.scrollTop) < 2 * room && !initial;
    // A step goes as far as it must; a jump shows what is around it.
    el.scrollTop = near ? (above ? y : y + rowHeight - room) : y - room / 3;
  });
}
