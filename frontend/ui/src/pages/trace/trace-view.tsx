import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useShortcuts } from '../../app/keyboard';
import { currentLocation, setQuery } from '../../app/router';
import { Splitter } from '../../components/splitter';
import { Tabs, type Tab } from '../../components/tabs';
import { useRemembered } from '../../components/use-remembered';
import { matchingRows, reveal, visibleSpans } from '../../model/rows';
import type { Analysis } from './analysis';
import { DetailPanel } from './detail/panel';
import { FindBar } from './find-bar';
import { FlameGraph } from './flame/flame-graph';
import { JSONView } from './json/json-view';
import { TableView } from './table/table-view';
import { Timeline } from './timeline/timeline';
import { TraceHeader, WarningList } from './trace-header';
import { useFind } from './use-find';

type View = 'timeline' | 'flame' | 'table' | 'json';

const tabs: Tab<View>[] = [
  { id: 'timeline', label: 'Timeline' },
  { id: 'flame', label: 'Flame graph' },
  { id: 'table', label: 'Table' },
  { id: 'json', label: 'JSON' },
];

/** A trace that has been loaded. What is selected, found and folded is kept
 * here, so that it is the same in every tab. */
export function TraceView({ id, analysis, text }: { id: string; analysis: Analysis; text: string }) {
  const { t } = analysis;
  const asked = useMemo(() => currentLocation().query, []);
  const [view, setView] = useState<View>(() => tabs.find((x) => x.id === asked.get('view'))?.id ?? 'timeline');
  const [folded, setFolded] = useState<Uint8Array>(() => new Uint8Array(t.count));
  const linked = useMemo(() => t.spans.findIndex((s) => s.spanId === asked.get('span')?.toLowerCase()), [t]);
  const [selected, setSelected] = useState(Math.max(0, linked));
  const [open, setOpen] = useState(linked >= 0);
  const [only, setOnly] = useState(false);
  const [warnings, setWarnings] = useState(false);
  const [panelWidth, setPanelWidth] = useRemembered('panel', 440);
  const find = useFind(t, asked.get('uiFind') ?? '');
  const input = useRef<HTMLInputElement>(null);
  const body = useRef<HTMLDivElement>(null);

  const filtered = only && find.found.length > 0;
  const rows = useMemo(() => (filtered ? matchingRows(t, find.found) : visibleSpans(t, folded)), [t, folded, filtered, find.found]);

  const select = useCallback((i: number, panel?: boolean) => {
    setFolded((f) => reveal(t, f, i));
    setSelected(i);
    if (panel !== undefined) setOpen(panel);
  }, [t]);

  const position = find.marked?.[selected] ? find.found.indexOf(selected) : -1;
  const step = (by: 1 | -1): void => {
    const { found } = find;
    if (found.length === 0) return;
    const next = by > 0 ? found.find((i) => i > selected) : found.findLast((i) => i < selected);
    select(next ?? found[by > 0 ? 0 : found.length - 1]);
  };

  // New results lead to the first of them; a link to one span opens it.
  useEffect(() => {
    const { found } = find;
    if (found.length === 0 || find.marked?.[selected]) return;
    select(found[0], found.length === 1 && t.spans[found[0]].spanId === find.text.trim().toLowerCase() ? true : undefined);
  }, [find.found]);

  useEffect(() => {
    const timer = setTimeout(() => setQuery({ span: open ? t.spans[selected].spanId : '' }), 300);
    return () => clearTimeout(timer);
  }, [open, selected]);

  const show = (v: View): void => {
    setView(v);
    setQuery({ view: v === 'timeline' ? '' : v });
  };
  const leaveFind = (): void => {
    input.current?.blur();
    body.current?.querySelector<HTMLElement>('[data-rest]')?.focus();
  };
  useShortcuts('Trace', [
    { keys: ['/'], what: 'Find in the trace', run: () => input.current?.select() },
    { keys: ['n'], what: 'Next match', run: () => step(1) },
    { keys: ['Shift+N'], what: 'Previous match', run: () => step(-1) },
    { keys: ['1', '2', '3', '4'], what: 'Timeline, flame graph, table, JSON', run: (key) => show(tabs[Number(key) - 1].id) },
    { keys: ['Escape'], what: 'Close the details', run: () => setOpen(false) },
  ]);

  const close = (): void => {
    setOpen(false);
    leaveFind();
  };
  return (
    <div class="trace">
      <TraceHeader id={id} analysis={analysis} onErrors={() => find.setText('error=true')} onWarnings={() => setWarnings(!warnings)} />
      {warnings && <WarningList analysis={analysis} onSpan={(i) => select(i, true)} />}
      <div class="trace-bar">
        <Tabs label="Views of the trace" tabs={tabs} value={view} onChange={show} />
        <FindBar find={find} input={input} position={position} only={only} onOnly={setOnly} onStep={step} onLeave={leaveFind} />
      </div>
      <div ref={body} class="trace-body">
        <div class="trace-content" id={`panel-${view}`} role="tabpanel" aria-labelledby={`tab-${view}`}>
          {view === 'timeline' && (
            <Timeline analysis={analysis} rows={rows} folded={folded} onFolded={setFolded} filtered={filtered}
              selected={selected} open={open} select={select} marked={find.marked} onFind={find.setText} />
          )}
          {view === 'flame' && <FlameGraph analysis={analysis} marked={find.marked} onSpan={(i) => select(i, true)} />}
          {view === 'table' && <TableView analysis={analysis} marked={find.marked} selected={open ? selected : -1} onSpan={(i) => select(i, true)} />}
          {view === 'json' && <JSONView id={id} text={text} />}
        </div>
        {open && (
          <>
            <Splitter label="Width of the details" side="right" value={panelWidth} min={300} max={900} onChange={setPanelWidth} />
            <DetailPanel analysis={analysis} span={selected} width={panelWidth} onSpan={(i) => select(i, true)} onClose={close} />
          </>
        )}
      </div>
    </div>
  );
}
