import { useMemo, useState } from 'preact/hooks';
import { ServiceName } from '../../../components/service-name';
import { VirtualList } from '../../../components/virtual-list';
import { formatDuration, groupDigits } from '../../../model/format';
import { statistics, type Grouping, type Stats } from '../../../model/stats';
import type { Analysis } from '../analysis';
import { HeadCell } from './head-cell';
import { compare, type Sort } from './sort';

type NumberColumn = 'count' | 'errors' | 'total' | 'self' | 'critical' | 'average' | 'p50' | 'p95' | 'max';
type Column = 'service' | 'name' | NumberColumn;

const columns: [NumberColumn, string, string][] = [
  ['count', 'Spans', 'How many spans'],
  ['errors', 'Errors', 'Spans with an error'],
  ['total', 'Total', 'Sum of the durations'],
  ['self', 'Own time', 'Time in which no child ran'],
  ['critical', 'Critical', 'Time on the critical path'],
  ['average', 'Average', 'Average duration'],
  ['p50', 'Median', 'Half of the spans took no longer'],
  ['p95', 'p95', '95 % of the spans took no longer'],
  ['max', 'Longest', 'The longest duration; opens that span'],
];

const rowHeight = 28;

/** Spans in groups, with how they took their time. */
export function StatsTable({ analysis, by, onSpan }: { analysis: Analysis; by: Grouping; onSpan: (i: number) => void }) {
  const { t, self, path } = analysis;
  const [sort, setSort] = useState<Sort<Column>>({ by: 'self', down: true });
  const groups = useMemo(() => statistics(t, self, path.time, by), [analysis, by]);
  const sorted = useMemo(() => [...groups].sort((a, b) => (sort.down ? -1 : 1) * compare(a[sort.by], b[sort.by]) || b.self - a.self), [groups, sort]);
  const most = useMemo(() => Math.max(1, ...groups.map((g) => g.self)), [groups]);
  const head = { sort, onSort: setSort };
  return (
    <div class={`table stats by-${by}`} role="table" aria-label={by === 'service' ? 'Services' : 'Operations'} aria-rowcount={sorted.length + 1}>
      <div class="table-head" role="row" aria-rowindex={1}>
        <HeadCell id="service" label="Service" {...head} />
        {by === 'operation' && <HeadCell id="name" label="Operation" {...head} />}
        {columns.map(([id, label, title]) => <HeadCell key={id} id={id} label={label} title={title} number {...head} />)}
      </div>
      <VirtualList label="Groups" role="rowgroup" count={sorted.length} rowHeight={rowHeight} row={(i, top) => (
        <StatsRow key={`${sorted[i].service} ${sorted[i].name}`} group={sorted[i]} index={i} top={top} by={by} most={most} onSpan={onSpan} />
      )} />
    </div>
  );
}

function StatsRow({ group: g, index, top, by, most, onSpan }: { group: Stats; index: number; top: number; by: Grouping; most: number; onSpan: (i: number) => void }) {
  return (
    <div role="row" class="table-row" aria-rowindex={index + 2} style={{ top: `${top}px` }}>
      <div role="cell"><ServiceName name={g.service} /></div>
      {by === 'operation' && <div role="cell" title={g.name}>{g.name}</div>}
      {columns.map(([id]) => (
        <div role="cell" key={id} class={id !== 'errors' ? 'number' : g.errors > 0 ? 'number error' : 'number none'}>
          {id === 'self' && <i class="share-bar" style={{ width: `${(g.self / most) * 100}%` }} />}
          {id === 'max'
            ? <button type="button" class="text-link" title="Open the longest span" onClick={() => onSpan(g.longest)}>{formatDuration(g.max)}</button>
            : id === 'count' || id === 'errors' ? groupDigits(g[id]) : formatDuration(g[id])}
        </div>
      ))}
    </div>
  );
}
