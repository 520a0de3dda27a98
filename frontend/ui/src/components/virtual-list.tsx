import type { ComponentChild, RefObject } from 'preact';
import { useRef, useState } from 'preact/hooks';
import { useSize } from './use-size';

interface Props {
  count: number;
  rowHeight: number;
  /** Makes a row, which must be placed at top. */
  row: (index: number, top: number) => ComponentChild;
  label: string;
  class?: string;
  role?: 'rowgroup' | 'region';
  scroller?: RefObject<HTMLDivElement | null>;
}

/** A scrolling list of rows of one height, of which only those in sight are in
 * the document. */
export function VirtualList({ count, rowHeight, row, label, class: name, role = 'region', scroller }: Props) {
  const own = useRef<HTMLDivElement>(null);
  const ref = scroller ?? own;
  const { height } = useSize(ref);
  const [top, setTop] = useState(0);
  const first = Math.max(0, Math.floor(top / rowHeight) - 6);
  const last = Math.min(count, Math.ceil((top + height) / rowHeight) + 6);
  const rows: ComponentChild[] = [];
  for (let i = first; i < last; i++) rows.push(row(i, i * rowHeight));
  return (
    <div ref={ref} class={`virtual ${name ?? ''}`} role={role} aria-label={label} tabIndex={0} onScroll={(e) => setTop(e.currentTarget.scrollTop)}>
      <div class="virtual-space" role="presentation" style={{ height: `${count * rowHeight}px` }}>{rows}</div>
    </div>
  );
}
