import type { Sort } from './sort';

interface Props<K> {
  id: K;
  label: string;
  title?: string;
  sort: Sort<K>;
  number?: boolean;
  onSort: (s: Sort<K>) => void;
}

/** The head of a column, which sorts by it; again the other way round. Numbers
 * begin with the largest, text with A. */
export function HeadCell<K extends string>({ id, label, title, sort, number, onSort }: Props<K>) {
  const on = sort.by === id;
  return (
    <div role="columnheader" class={number ? 'number' : ''} aria-sort={on ? (sort.down ? 'descending' : 'ascending') : undefined}>
      <button type="button" title={title} onClick={() => onSort({ by: id, down: on ? !sort.down : !!number })}>
        {label}<i class={on ? (sort.down ? 'sort down' : 'sort up') : 'sort'} />
      </button>
    </div>
  );
}
