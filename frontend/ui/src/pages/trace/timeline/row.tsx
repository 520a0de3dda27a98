import { formatDuration, groupDigits } from '../../../model/format';
import { nameOf, serviceOf } from '../../../model/trace';
import { serviceColor } from '../../../app/service-colors';
import { hasWarning } from '../../../model/warnings';
import type { Analysis } from '../analysis';
import { barOf } from './bar';
import type { Window } from './window';

/** Height of a row; styles/tokens.css has the same as --row. */
export const rowHeight = 24;

export interface RowProps {
  analysis: Analysis;
  span: number;
  row: number;
  window: Window;
  /** Width of the time column. */
  pixels: number;
  /** Pixels by which each level is indented. */
  indent: number;
  folded: boolean;
  selected: boolean;
  /** null while nothing is looked for. */
  match: boolean | null;
}

/** One span. Few elements: a screen of rows is made anew at every step of
 * scrolling. */
export function Row({ analysis, span: i, row, window: w, pixels, indent, folded, selected, match }: RowProps) {
  const { t, warnings } = analysis;
  const kids = t.children[i] > 0;
  const service = serviceOf(t, i);
  const parent = t.parent[i];
  const error = t.error[i] === 1;
  const color = serviceColor(service);
  const hidden = folded ? t.size[i] - 1 : 0;
  return (
    <div role="row" id={`span-${i}`} data-span={i} class={`row${selected ? ' selected' : ''}${match === null ? '' : match ? ' match' : ' other'}`}
      aria-rowindex={row + 2} aria-level={t.depth[i] + 1} aria-selected={selected} aria-expanded={kids ? !folded : undefined}
      style={{ top: `${row * rowHeight}px`, '--color': color, '--indent': `${t.depth[i] * indent}px` }}>
      <div role="gridcell" class="name">
        {kids ? <i class={folded ? 'toggle folded' : 'toggle'} /> : <i class="leaf" />}
        <b class={parent >= 0 && t.service[parent] === t.service[i] ? 'same' : ''}>{service}</b>
        {nameOf(t, i)}
        {hidden > 0 && <span class="hidden-count" title={`${groupDigits(hidden)} spans below are folded`}>+{groupDigits(hidden)}</span>}
        {error && <span class="mark error" role="img" aria-label="error" title="Error" />}
        {hasWarning(warnings, i) && <span class="mark warn" role="img" aria-label="warning" title="Warning" />}
      </div>
      <TimeCell analysis={analysis} span={i} window={w} pixels={pixels} />
    </div>
  );
}

/** Room for a label such as "12.4 ms". */
const labelPixels = 58;

function TimeCell({ analysis, span: i, window: w, pixels }: { analysis: Analysis; span: number; window: Window; pixels: number }) {
  const { t } = analysis;
  const label = formatDuration(t.end[i] - t.begin[i]);
  const bar = barOf(analysis, i, w, pixels);
  if (!bar) return <div role="gridcell" class="time" aria-label={label}>{t.end[i] < w.from ? <i class="outside left" /> : <i class="outside right" />}</div>;
  const end = Math.min(100, bar.left + bar.width);
  const begin = Math.max(0, bar.left);
  // After the bar if there is room, else before it, else at its beginning.
  const after = ((100 - end) / 100) * pixels > labelPixels;
  const before = !after && (begin / 100) * pixels > labelPixels;
  // In pixels, because percentages of a padding are of the row.
  const place = after
    ? { paddingLeft: `${(end / 100) * pixels + 6}px` }
    : before ? { paddingRight: `${(1 - begin / 100) * pixels + 6}px`, textAlign: 'right' } : { paddingLeft: `${(begin / 100) * pixels + 6}px` };
  return (
    <div role="gridcell" class="time" style={place}>
      <i class="bar" style={{
        left: `${bar.left}%`, width: `${bar.width}%`,
        '--fill': bar.fill || 'none', '--path': bar.critical || 'none', '--events': bar.events || 'none',
      }} />
      {after || before ? label : <span class="length">{label}</span>}
    </div>
  );
}
