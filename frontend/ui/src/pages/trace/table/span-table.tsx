import { useMemo, useState } from 'preact/hooks';
import { ServiceName } from '../../../components/service-name';
import { VirtualList } from '../../../components/virtual-list';
import { formatDuration } from '../../../model/format';
import { kindOf, nameOf, serviceOf } from '../../../model/trace';
import type { Analysis } from '../analysis';
import { HeadCell } from './head-cell';
import { compare, type Sort } from './sort';

type Column = 'service' | 'name' | 'kind' | 'status' | 'start' | 'duration' | 'self' | 'critical';

const text: [Column, string][] = [['service', 'Service'], ['name', 'Operation'], ['kind', 'Kind'], ['status', 'Status']];
const numbers: [Column, string][] = [['start', 'Starts at'], ['duration', 'Duration'], ['self', 'Own time'], ['critical', 'Critical']];

const rowHeight = 26;

interface Props {
  analysis: Analysis;
  marked: Uint8Array | null;
  selected: number;
  onSpan: (i: number) => void;
}

/** Every span on a line, or those that were found. */
export function SpanTable({ analysis, marked, selected, onSpan }: Props) {
  const { t, self, path } = analysis;
  const [sort, setSort] = useState<Sort<Column>>({ by: 'duration', down: true });
  const value = (i: number): number | string => {
    switch (sort.by) {
      case 'service': return serviceOf(t, i);
      case 'name': return nameOf(t, i);
      case 'kind': return kindOf(t, i);
      case 'status': return t.spans[i].status?.code ?? 0;
      case 'start': return t.begin[i];
      case 'duration': return t.end[i] - t.begin[i];
      case 'self': return self[i];
      case 'critical': return path.time[i];
    }
  };
  const sorted = useMemo(() => {
    const list = Array.from({ length: t.count }, (_, i) => i).filter((i) => !marked || marked[i]);
    return list.sort((a, b) => (sort.down ? -1 : 1) * compare(value(a), value(b)) || a - b);
  }, [analysis, sort, marked]);
  const head = { sort, onSort: setSort };
  return (
    <div class="table spans" role="table" aria-label="Spans" aria-rowcount={sorted.length + 1}>
      <div class="table-head" role="row" aria-rowindex={1}>
        {text.map(([id, label]) => <HeadCell key={id} id={id} label={label} {...head} />)}
        {numbers.map(([id, label]) => <HeadCell key={id} id={id} label={label} number {...head} />)}
      </div>
      <VirtualList label="Spans" role="rowgroup" count={sorted.length} rowHeight={rowHeight} row={(k, top) => {
        const i = sorted[k];
        return (
          <div role="row" key={i} class={i === selected ? 'table-row selected' : 'table-row'} aria-rowindex={k + 2} style={{ top: `${top}px` }}>
            <div role="cell"><ServiceName name={serviceOf(t, i)} /></div>
            <div role="cell" title={nameOf(t, i)}><button type="button" class="text-link" onClick={() => onSpan(i)}>{nameOf(t, i)}</button></div>
            <div role="cell">{kindOf(t, i)}</div>
            <div role="cell" class={t.error[i] ? 'error' : ''}>{['', 'ok', 'error'][t.spans[i].status?.code ?? 0]}</div>
            <div role="cell" class="number">+{formatDuration(t.begin[i])}</div>
            <div role="cell" class="number">{formatDuration(t.end[i] - t.begin[i])}</div>
            <div role="cell" class="number">{formatDuration(self[i])}</div>
            <div role="cell" class="number">{formatDuration(path.time[i])}</div>
          </div>
        );
      }} />
    </div>
  );
}
