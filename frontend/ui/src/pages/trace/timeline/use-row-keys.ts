import type { RefObject } from 'preact';
import { useShortcuts } from '../../../app/keyboard';
import { rowOf } from '../../../model/rows';
import type { Analysis } from '../analysis';
import { rowHeight } from './row';
import { clampWindow, pan, zoom, type Window } from './window';

interface Args {
  analysis: Analysis;
  rows: Int32Array;
  folded: Uint8Array;
  filtered: boolean;
  selected: number;
  open: boolean;
  select: (span: number, open?: boolean) => void;
  toggle: (span: number) => void;
  levels: number;
  setLevels: (n: number) => void;
  window: Window;
  setWindow: (w: Window) => void;
  scroller: RefObject<HTMLDivElement | null>;
}

/** Whether arrow keys are free for the rows: the focus is on them or nowhere. */
function atRest(): boolean {
  const el = document.activeElement;
  return !el || el === document.body || el.id === 'main' || el.matches('[data-rest], [role=row]') || el.closest('.trace-content, .trace-bar, .trace-head') !== null;
}

/** The keys of the waterfall, as a tree of rows has them. */
export function useRowKeys(a: Args): void {
  const { analysis, rows, folded, selected, window: w } = a;
  const { t } = analysis;
  const row = rowOf(rows, selected);
  const go = (to: number): void => {
    if (rows.length > 0) a.select(rows[Math.min(rows.length - 1, Math.max(0, to))]);
  };
  const page = (): number => Math.max(1, Math.floor((a.scroller.current?.clientHeight ?? 0) / rowHeight) - 3);
  const canFold = t.children[selected] > 0 && !a.filtered;
  const left = (): void => {
    if (canFold && !folded[selected]) a.toggle(selected);
    else if (t.parent[selected] >= 0) a.select(t.parent[selected]);
  };
  const right = (): void => {
    if (canFold && folded[selected]) a.toggle(selected);
    else if (t.children[selected] > 0) go(row + 1);
  };
  const middle = (w.from + w.to) / 2;
  const toSpan = (): void => {
    const length = t.end[selected] - t.begin[selected];
    a.setWindow(clampWindow(t.begin[selected] - 0.05 * length, t.end[selected] + 0.05 * length, t.duration));
  };
  useShortcuts('Timeline', [
    { keys: ['ArrowDown', 'j'], what: 'Next span', run: () => go(row + 1), when: atRest },
    { keys: ['ArrowUp', 'k'], what: 'Previous span', run: () => go(row - 1), when: atRest },
    { keys: ['PageDown'], what: 'A page on', run: () => go(row + page()), when: atRest },
    { keys: ['PageUp'], what: 'A page back', run: () => go(row - page()), when: atRest },
    { keys: ['Home'], what: 'First span', run: () => go(0), when: atRest },
    { keys: ['End'], what: 'Last span', run: () => go(rows.length - 1), when: atRest },
    { keys: ['ArrowLeft'], what: 'Fold, or go to the parent', run: left, when: atRest },
    { keys: ['ArrowRight'], what: 'Unfold, or go to the first child', run: right, when: atRest },
    { keys: ['Enter'], what: 'Details of the span', run: () => a.select(selected, !a.open), when: atRest },
    { keys: ['[', ']'], what: 'One level less, one more', run: (key) => a.setLevels(a.levels + (key === '[' ? -1 : 1)) },
    { keys: ['{', '}'], what: 'Fold all, unfold all', run: (key) => a.setLevels(key === '{' ? 1 : t.levels) },
    { keys: ['+', '-'], what: 'Zoom in, zoom out', run: (key) => a.setWindow(zoom(w, middle, key === '+' ? 0.5 : 2, t.duration)) },
    { keys: ['<', '>'], what: 'Earlier, later', run: (key) => a.setWindow(pan(w, key === '<' ? -0.25 : 0.25, t.duration)) },
    { keys: ['z'], what: 'Zoom to the span', run: toSpan },
    { keys: ['0'], what: 'Show the whole time', run: () => a.setWindow({ from: 0, to: t.duration }) },
  ]);
}
