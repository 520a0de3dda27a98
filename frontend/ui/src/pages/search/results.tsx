import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce } from '../../app/announce';
import { useShortcuts } from '../../app/keyboard';
import { Banner, IncompleteBanner } from '../../components/banner';
import { Message } from '../../components/message';
import { roundDuration } from '../../model/durations';
import { plural } from '../../model/format';
import { arrange, type Area } from '../../model/results';
import type { SearchAddress } from '../../model/search-address';
import type { SearchForm } from '../../model/search-form';
import { NothingFound } from './empty';
import { Head } from './head';
import { TraceList } from './list';
import { Scatter } from './scatter';
import { Skeleton } from './skeleton';
import type { Search } from './use-search';

interface Props {
  address: SearchAddress;
  search: Search;
  /** Seconds from one automatic search to the next; 0: none. */
  every: number;
  setEvery: (seconds: number) => void;
  onView: (view: Pick<SearchAddress, 'sort' | 'scale'>) => void;
  onSearch: (form: SearchForm) => void;
  /** The address of this search with something changed. */
  link: (change: Partial<SearchForm>) => string;
}

export function Results({ address, search, every, setEvery, onView, onSearch, link }: Props) {
  const { running, current, error, again } = search;
  const found = search.found?.value ?? null;
  const [selected, setSelected] = useState<{ of: string; area: Area } | null>(null);
  const [pointed, setPointed] = useState<string | null>(null);
  // An area is one of the answer that it was drawn on, or of the same search
  // made again.
  const area = selected && selected.of === found?.key ? selected.area : null;
  const setArea = (a: Area | null) => setSelected(a && found ? { of: found.key, area: a } : null);
  const list = found?.list ?? none;
  const shown = useMemo(() => arrange(list, address.sort, area), [list, address.sort, area]);
  const slowest = useMemo(() => Math.max(1, ...list.map((s) => s.duration)), [list]);

  useShortcuts('Results', [
    { keys: ['r'], what: 'Search again', run: again },
    { keys: ['o'], what: 'Newest or slowest first', run: () => onView({ ...address, sort: address.sort === 'newest' ? 'slowest' : 'newest' }) },
    { keys: ['Escape'], what: 'Clear the selection', run: () => setArea(null), when: () => area !== null },
  ]);
  useRefresh(every, running, again);
  const said = useRef(0);
  useEffect(() => {
    if (!found || !current || said.current === found.at) return;
    said.current = found.at;
    announce(found.list.length === 0 ? 'No traces found' : `${plural(found.list.length, 'trace')} found`);
  }, [found, current]);

  if (!search.valid) {
    return <section class="results"><Message title="Nothing was searched for">The form says what is wrong with this search.</Message></section>;
  }
  if (error && !current) {
    return (
      <section class="results">
        <IncompleteBanner of={error.incomplete} />
        <Message title="The search did not succeed" tone="error">
          {error.message}
          <div class="actions"><button type="button" class="button" onClick={again}>Try again</button></div>
        </Message>
      </section>
    );
  }
  if (!found) return <Skeleton />;

  const use = () => {
    if (!area) return;
    onSearch({
      ...found.form, lookback: 'custom',
      start: Number(area.from / 1000n), end: Number(area.to / 1000n) + 1,
      minDuration: roundDuration(Math.max(0, area.shortest), 'floor'), maxDuration: roundDuration(area.longest, 'ceil'),
    });
  };
  const stale = !current || (running && every === 0);
  return (
    <section class={`results ${stale ? 'stale' : ''}`} aria-label="Results" aria-busy={running}>
      {running && <div class="progress" />}
      {error && <Banner onRetry={again}><strong>The traces below are those of an earlier search.</strong> {error.message}</Banner>}
      <IncompleteBanner of={search.found!.incomplete} onRetry={again} />
      {found.missing.length > 0 && (
        <Banner><strong>{found.missing.length === 1 ? 'One trace is not stored here:' : `${found.missing.length} traces are not stored here:`}</strong> {found.missing.join(', ')}</Banner>
      )}
      <Head address={address} found={found} shown={shown.length} area={area} every={every} setEvery={setEvery} again={again} onView={onView} link={link}
        onUse={use} onClear={() => setArea(null)} />
      {list.length === 0
        ? <NothingFound form={found.form} byID={address.traceIDs.length > 0} link={link} again={again} />
        : (
          <>
            <Scatter list={list} area={area} onArea={setArea} scale={address.scale} onScale={(scale) => onView({ ...address, scale })}
              pointed={pointed} onPoint={setPointed} spans={address.spans} />
            <TraceList key={found.key} list={shown} slowest={slowest} spans={address.spans} pointed={pointed} onPoint={setPointed} />
          </>
        )}
    </section>
  );
}

const none: never[] = [];

/** Searches again so many seconds after the last search, but not in a tab that
 * nobody looks at. */
function useRefresh(every: number, running: boolean, again: () => void): void {
  const latest = useRef(again);
  latest.current = again;
  useEffect(() => {
    if (!every || running) return;
    let timer = 0;
    const plan = () => {
      clearTimeout(timer);
      if (!document.hidden) timer = window.setTimeout(() => latest.current(), every * 1000);
    };
    plan();
    document.addEventListener('visibilitychange', plan);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', plan);
    };
  }, [every, running]);
}
