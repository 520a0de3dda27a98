import { href } from '../../app/router';
import { IconButton } from '../../components/icon-button';
import { Segmented } from '../../components/segmented';
import { formatTime, groupDigits, plural } from '../../model/format';
import type { Area } from '../../model/results';
import type { SearchAddress } from '../../model/search-address';
import { formWords, type SearchForm } from '../../model/search-form';
import type { Found } from './use-search';

interface Props {
  address: SearchAddress;
  found: Found;
  /** How many traces the list has. */
  shown: number;
  area: Area | null;
  every: number;
  setEvery: (seconds: number) => void;
  again: () => void;
  onView: (view: Pick<SearchAddress, 'sort' | 'scale'>) => void;
  link: (change: Partial<SearchForm>) => string;
  /** Searches for what the area holds. */
  onUse: () => void;
  onClear: () => void;
}

/** Says what was found, and how it is looked at. */
export function Head({ address, found, shown, area, every, setEvery, again, onView, link, onUse, onClear }: Props) {
  const { list } = found;
  const limit = Number(found.form.limit);
  const byID = address.traceIDs.length > 0;
  const full = !byID && list.length > 0 && list.length >= limit;
  const time = formatTime(BigInt(found.at) * 1_000_000n).slice(11, 19);
  return (
    <header class="results-head">
      <div class="results-said">
        {area
          ? <h2>{groupDigits(shown)} of {plural(list.length, 'trace')} <small>in the selected area</small></h2>
          : <h2>{full ? `The newest ${groupDigits(list.length)} traces` : list.length ? plural(list.length, 'trace') : 'No traces'}</h2>}
        {area
          ? (
            <p class="results-actions">
              {!byID && <button type="button" class="button" onClick={onUse}>Search this area</button>}
              <button type="button" class="button" onClick={onClear}>Clear selection</button>
            </p>
          )
          : (
            <p class="results-words" title={`Searched at ${time}`}>
              {byID ? <>listed by ID · <a href={href('/search')}>Search</a></> : formWords(found.form)}
              {full && limit < 1500 && <> · <a href={link({ limit: String(Math.min(1500, limit * 5)) })}>show up to {groupDigits(Math.min(1500, limit * 5))}</a></>}
            </p>
          )}
      </div>
      <Segmented label="Order" value={address.sort} onChange={(sort) => onView({ ...address, sort })}
        choices={[{ value: 'newest', label: 'Newest' }, { value: 'slowest', label: 'Slowest', what: full ? `Slowest of the newest ${list.length}` : undefined }]} />
      <div class="refresh">
        <select class="select" aria-label="Search again by itself" value={every} onChange={(e) => setEvery(Number(e.currentTarget.value))}>
          <option value={0}>Refresh: off</option>
          <option value={5}>every 5 s</option>
          <option value={15}>every 15 s</option>
          <option value={60}>every minute</option>
        </select>
        <IconButton icon="refresh" label="Search again" onClick={again} />
      </div>
    </header>
  );
}
