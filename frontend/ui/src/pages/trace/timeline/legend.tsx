import { groupDigits, plural } from '../../../model/format';

interface Props {
  rows: number;
  spans: number;
  filtered: boolean;
  zoomed: boolean;
  onWhole: () => void;
}

/** What the bars mean, and what is not shown. */
export function Legend({ rows, spans, filtered, zoomed, onWhole }: Props) {
  return (
    <footer class="legend">
      <span>
        {rows === spans ? plural(spans, 'span') : `${groupDigits(rows)} of ${plural(spans, 'span')} shown`}
        {filtered && ': matches and what they are in'}
      </span>
      {zoomed && <button type="button" class="text-link" onClick={onWhole}>Show the whole time</button>}
      <span class="legend-key"><i class="key own" />own time</span>
      <span class="legend-key"><i class="key busy" />children at work</span>
      <span class="legend-key"><i class="key path" />critical path</span>
    </footer>
  );
}
