import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { TraceSummary } from '../../api/summaries';
import { useShortcuts } from '../../app/keyboard';
import { TraceRow } from './row';
import { useNow } from './use-now';

interface Props {
  list: TraceSummary[];
  /** The longest duration of all traces, in nanoseconds. */
  slowest: number;
  spans: Record<string, string>;
  pointed: string | null;
  onPoint: (id: string | null) => void;
}

// Rows are drawn as they are scrolled to: a thousand at once would be felt.
const batch = 100;

// The trace that was opened last. Coming back, its row has the focus again.
let opened: string | null = null;

export function TraceList({ list, slowest, spans, pointed, onPoint }: Props) {
  const now = useNow(10_000);
  const element = useRef<HTMLUListElement>(null);
  const end = useRef<HTMLDivElement>(null);
  const [count, setCount] = useState(() => Math.max(batch, list.findIndex((s) => s.traceId === opened) + batch / 2));

  useEffect(() => {
    if (count >= list.length) return;
    const seen = new IntersectionObserver((entries) => {
      if (entries.some((e) => e.isIntersecting)) setCount((c) => c + batch);
    }, { rootMargin: '800px' });
    seen.observe(end.current!);
    return () => seen.disconnect();
  }, [count, list.length]);

  const focus = (id: string | undefined) => {
    if (id) element.current?.querySelector<HTMLElement>(`a[data-trace="${id}"]`)?.focus();
  };
  useLayoutEffect(() => {
    if (opened && document.activeElement === document.body) focus(opened);
    opened = null;
  }, []);

  const move = (to: (at: number) => number) => {
    const at = list.findIndex((s) => s.traceId === (document.activeElement as HTMLElement).dataset.trace);
    const next = Math.min(list.length - 1, Math.max(0, to(at)));
    if (next >= count) {
      setCount(next + batch);
      requestAnimationFrame(() => requestAnimationFrame(() => focus(list[next].traceId)));
    } else focus(list[next].traceId);
  };
  useShortcuts('List of traces', [
    { keys: ['ArrowDown', 'j'], what: 'Next trace', run: () => move((i) => i + 1) },
    { keys: ['ArrowUp', 'k'], what: 'Trace before', run: () => move((i) => i - 1) },
    { keys: ['PageDown'], what: 'Ten traces on', run: () => move((i) => i + 10) },
    { keys: ['PageUp'], what: 'Ten traces back', run: () => move((i) => i - 10) },
    { keys: ['Home'], what: 'First trace', run: () => move(() => 0) },
    { keys: ['End'], what: 'Last trace', run: () => move(() => list.length) },
  ]);
  return (
    <>
      <div class="trace-columns" aria-hidden="true">
        <span>Trace</span><span>Spans</span><span>Duration</span><span>Start</span>
      </div>
      <ul class="trace-list" aria-label="Traces" ref={element}>
        {list.slice(0, count).map((s) => (
          <TraceRow key={s.traceId} trace={s} slowest={slowest} now={now} span={spans[s.traceId]} pointed={pointed === s.traceId} onPoint={onPoint}
            onOpen={() => { opened = s.traceId; }} />
        ))}
      </ul>
      {count < list.length && <div ref={end} class="trace-more">{list.length - count} more</div>}
    </>
  );
}
