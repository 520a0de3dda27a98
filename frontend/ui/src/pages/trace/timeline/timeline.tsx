import { useMemo, useRef, useState } from 'preact/hooks';
import { Splitter } from '../../../components/splitter';
import { useRemembered } from '../../../components/use-remembered';
import { useSize } from '../../../components/use-size';
import { foldBelow } from '../../../model/rows';
import type { Analysis } from '../analysis';
import { Legend } from './legend';
import { Levels } from './levels';
import { Minimap } from './minimap';
import { ServiceShares } from './service-shares';
import { useRowKeys } from './use-row-keys';
import { timePadding, Waterfall } from './waterfall';
import { isWhole, zoom, type Window } from './window';

interface Props {
  analysis: Analysis;
  rows: Int32Array;
  folded: Uint8Array;
  onFolded: (folded: Uint8Array) => void;
  /** Only spans that were found have rows. */
  filtered: boolean;
  selected: number;
  open: boolean;
  select: (span: number, open?: boolean) => void;
  marked: Uint8Array | null;
  onFind: (text: string) => void;
}

export function Timeline(p: Props) {
  const { analysis, rows, folded, selected } = p;
  const { t } = analysis;
  const [window, setWindow] = useState<Window>({ from: 0, to: t.duration });
  const [nameWidth, setNameWidth] = useRemembered('names', 400);
  const scroller = useRef<HTMLDivElement>(null);
  const size = useSize(scroller);
  const width = Math.min(nameWidth, Math.max(140, size.width * 0.7));
  const levels = useMemo(() => shownLevels(analysis, folded), [analysis, folded]);

  const toggle = (span: number): void => {
    const next = folded.slice();
    next[span] = folded[span] ? 0 : 1;
    p.onFolded(next);
  };
  const setLevels = (n: number): void => p.onFolded(foldBelow(t, n >= t.levels ? 0 : Math.max(1, n)));
  useRowKeys({ ...p, toggle, levels, setLevels, window, setWindow, scroller });

  return (
    <div class="timeline">
      <div class="overview" style={{ '--name': `${width}px` }}>
        <ServiceShares analysis={analysis} onFind={p.onFind} />
        <Minimap t={t} window={window} onWindow={setWindow} />
      </div>
      <div class="waterfall-frame" onWheel={wheel}>
        <Waterfall analysis={analysis} rows={rows} folded={folded} selected={selected} open={p.open} marked={p.marked} window={window}
          nameWidth={width} width={size.width} height={size.height} scroller={scroller}
          corner={<Levels levels={levels} all={t.levels} disabled={p.filtered} onLevels={setLevels} />}
          onWindow={setWindow} onToggle={toggle} onSelect={p.select} />
        <div class="name-splitter" style={{ left: `${width}px` }}>
          <Splitter label="Width of the names" side="left" value={width} min={140} max={Math.max(200, size.width * 0.7)} onChange={setNameWidth} />
        </div>
      </div>
      <Legend rows={rows.length} spans={t.count} filtered={p.filtered} zoomed={!isWhole(window, t.duration)} onWhole={() => setWindow({ from: 0, to: t.duration })} />
    </div>
  );

  // With Ctrl, as pinching does too, the wheel zooms around the pointer.
  function wheel(e: WheelEvent): void {
    if (!e.ctrlKey && !e.metaKey) return;
    e.preventDefault();
    const box = scroller.current!.getBoundingClientRect();
    const share = (e.clientX - box.left - width) / Math.max(1, size.width - width - timePadding);
    if (share < 0) return;
    setWindow((w) => zoom(w, w.from + share * (w.to - w.from), Math.exp(e.deltaY / 300), t.duration));
  }
}

/** How many levels are shown if all spans of a level are folded alike; else how
 * deep the shown ones go. */
function shownLevels({ t }: Analysis, folded: Uint8Array): number {
  let deepest = 0;
  for (let i = 0; i < t.count; i += folded[i] ? t.size[i] : 1) deepest = Math.max(deepest, t.depth[i] + 1);
  return deepest;
}
