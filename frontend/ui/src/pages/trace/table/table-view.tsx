import { useState } from 'preact/hooks';
import type { Analysis } from '../analysis';
import { SpanTable } from './span-table';
import { StatsTable } from './stats-table';

type Kind = 'operation' | 'service' | 'span';

const kinds: [Kind, string][] = [['operation', 'By operation'], ['service', 'By service'], ['span', 'Each span']];

interface Props {
  analysis: Analysis;
  marked: Uint8Array | null;
  /** -1: none. */
  selected: number;
  onSpan: (i: number) => void;
}

/** The spans in numbers. */
export function TableView(p: Props) {
  const [kind, setKind] = useState<Kind>('operation');
  return (
    <div class="tables">
      <div class="table-bar">
        <div class="choice" role="group" aria-label="Rows">
          {kinds.map(([k, label]) => <button key={k} type="button" aria-pressed={k === kind} onClick={() => setKind(k)}>{label}</button>)}
        </div>
      </div>
      {kind === 'span' ? <SpanTable {...p} /> : <StatsTable {...p} by={kind} />}
    </div>
  );
}
