import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce } from '../../../app/announce';
import { useShortcuts } from '../../../app/keyboard';
import { useTheme } from '../../../app/theme';
import { useSize } from '../../../components/use-size';
import { buildFlame, type FlameNode } from '../../../model/flame';
import { formatDuration, plural } from '../../../model/format';
import { nameOf } from '../../../model/trace';
import type { Analysis } from '../analysis';
import { boxAt, boxHeight, layOut } from './layout';
import { paintFlame } from './paint';
import { FlameTip } from './tip';

interface Props {
  analysis: Analysis;
  marked: Uint8Array | null;
  onSpan: (i: number) => void;
}

/** Where the time goes: calls of the same operation from the same place in one
 * box, as wide as the own times in it. */
export function FlameGraph({ analysis, marked, onSpan }: Props) {
  const { t, self } = analysis;
  const root = useMemo(() => buildFlame(t, self), [analysis]);
  const [focus, setFocus] = useState(root);
  const [current, setCurrent] = useState<FlameNode | null>(null);
  const [pointer, setPointer] = useState<{ x: number; y: number } | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const { width } = useSize(scroller);
  const theme = useTheme();
  const { boxes, height } = useMemo(() => layOut(root, focus, width), [root, focus, width]);
  const matches = useMemo(() => matchKeys(analysis, marked), [analysis, marked]);

  useEffect(() => {
    paintFlame(canvas.current!, boxes, width, height, { current, focus, matches: matches && ((n) => matches.has(keyOf(n.service, n.name))) });
  }, [boxes, width, height, current, focus, matches, theme]);

  const zoomTo = (n: FlameNode): void => {
    setFocus(n);
    setPointer(null);
  };
  const out = (): void => zoomTo(focus === root ? root : (focus.parent ?? root));
  const go = (n: FlameNode | null | undefined): void => {
    if (!n || n === root) return;
    setCurrent(n);
    setPointer(null);
    announce(`${n.service} ${n.name}: ${plural(n.count, 'span')}, ${formatDuration(n.weight)} here and below`);
    const y = n.depth * boxHeight;
    const el = scroller.current!;
    if (y < el.scrollTop || y + boxHeight > el.scrollTop + el.clientHeight) el.scrollTop = y - el.clientHeight / 2;
  };
  const beside = (by: 1 | -1): FlameNode | undefined => {
    const list = current?.parent?.children ?? [];
    return list[list.indexOf(current!) + by];
  };
  const here = (): boolean => {
    const el = document.activeElement;
    return !el || el === document.body || el.id === 'main' || el === scroller.current || el.closest('.trace-bar, .trace-head') !== null;
  };
  const first = focus === root ? root.children[0] : focus;
  useShortcuts('Flame graph', [
    { keys: ['ArrowDown'], what: 'To the widest call', run: () => go(current ? current.children[0] : first), when: here },
    { keys: ['ArrowUp'], what: 'To the caller', run: () => go(current?.parent ?? first), when: here },
    { keys: ['ArrowLeft', 'ArrowRight'], what: 'To the calls beside it', run: (key) => go(current ? beside(key === 'ArrowLeft' ? -1 : 1) : first), when: here },
    { keys: ['Enter'], what: 'Zoom in', run: () => current && zoomTo(current), when: here },
    { keys: ['Backspace'], what: 'Zoom out', run: out, when: here },
    { keys: ['0'], what: 'Show all', run: () => zoomTo(root) },
    { keys: ['d'], what: 'Details of its longest span', run: () => current && onSpan(current.span), when: here },
  ]);

  const under = (e: MouseEvent): FlameNode | null => {
    const b = canvas.current!.getBoundingClientRect();
    return boxAt(boxes, e.clientX - b.left, e.clientY - b.top)?.node ?? null;
  };
  return (
    <div class="flame">
      <p class="flame-head">
        <span>A box is as wide as the time spent in it and in the calls below it. Repeated calls from one place share a box.</span>
        {focus !== root && <button type="button" class="button" onClick={() => zoomTo(root)}>Show all</button>}
      </p>
      <div ref={scroller} class="flame-scroller" tabIndex={0} data-rest role="application" aria-roledescription="flame graph"
        aria-label={`Flame graph of ${plural(t.count, 'span')}. Arrow keys go from call to call.`}
        onMouseMove={(e) => {
          const n = under(e);
          setCurrent(n);
          setPointer(n && { x: e.clientX, y: e.clientY });
        }}
        onMouseLeave={() => { setCurrent(null); setPointer(null); }}
        onClick={(e) => { const n = under(e); if (n) zoomTo(n); }}>
        <canvas ref={canvas} aria-hidden="true" style={{ width: `${width}px`, height: `${height}px` }} />
      </div>
      {current && <FlameTip node={current} whole={root.weight} at={pointer} onSpan={onSpan} />}
    </div>
  );
}

const keyOf = (service: string, name: string): string => `${service}\0${name}`;

/** Which operations have spans that were found. */
function matchKeys({ t }: Analysis, marked: Uint8Array | null): Set<string> | null {
  if (!marked) return null;
  const keys = new Set<string>();
  for (let i = 0; i < t.count; i++) if (marked[i]) keys.add(keyOf(t.services[t.service[i]], nameOf(t, i)));
  return keys;
}
