import { ServiceName } from '../../../components/service-name';
import type { FlameNode } from '../../../model/flame';
import { formatDuration, formatShare, groupDigits } from '../../../model/format';

interface Props {
  node: FlameNode;
  /** Own time of the whole trace. */
  whole: number;
  /** Where the pointer is; null when the keyboard chose. */
  at: { x: number; y: number } | null;
  onSpan: (i: number) => void;
}

const width = 300;

/** What the box under the pointer, or the keyboard's, stands for. */
export function FlameTip({ node: n, whole, at, onSpan }: Props) {
  const share = formatShare(whole > 0 ? n.weight / whole : 0);
  const style = at
    ? { left: `${Math.min(at.x + 14, innerWidth - width - 12)}px`, top: `${at.y + 18 > innerHeight - 190 ? at.y - 180 : at.y + 18}px` }
    : {};
  return (
    <div class={at ? 'flame-tip' : 'flame-tip docked'} style={style} aria-hidden={at ? 'true' : undefined}>
      <p><ServiceName name={n.service} /></p>
      <p class="tip-name">{n.name}</p>
      <dl>
        <div><dt>Here and below</dt><dd>{formatDuration(n.weight)} <span class="of">{share}</span></dd></div>
        <div><dt>Own time</dt><dd>{formatDuration(n.self)}</dd></div>
        <div><dt>Durations, summed</dt><dd>{formatDuration(n.total)}</dd></div>
        <div><dt>Spans</dt><dd>{groupDigits(n.count)}{n.errors > 0 && <span class="error"> {groupDigits(n.errors)} with errors</span>}</dd></div>
      </dl>
      {!at && <button type="button" class="text-link" onClick={() => onSpan(n.span)}>Details of the longest</button>}
    </div>
  );
}
