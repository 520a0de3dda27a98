import { useEffect, useMemo, useState } from 'preact/hooks';
import type { PageProps } from '../../app/routes';
import { href, navigate, setQuery, useLocation } from '../../app/router';
import { readAddress, writeAddress, type SearchAddress } from '../../model/search-address';
import { formWords, type SearchForm } from '../../model/search-form';
import { SearchFormPanel } from './form';
import { Results } from './results';
import { useSearch } from './use-search';

/** Searches for traces. The address holds the whole search, so that it can be
 * shared; without parameters it is the last hour of all services. */
export default function SearchPage(_: PageProps) {
  const { query } = useLocation();
  const address = useMemo(() => readAddress(query), [query]);
  const search = useSearch(address);
  const [every, setEvery] = useState(0);

  useEffect(() => {
    document.title = `${address.traceIDs.length > 0 ? 'Traces by ID' : formWords(address.form)} · Clew`;
    return () => { document.title = 'Clew'; };
  }, [address]);

  const submit = (form: SearchForm) => {
    const same = address.traceIDs.length === 0 && writeAddress(form).toString() === writeAddress(address.form).toString();
    if (same) search.again();
    else navigate(linkTo(address, form));
  };
  return (
    <div class="search-page">
      <h1 class="sr-only">Search for traces</h1>
      <SearchFormPanel form={address.form} onSearch={submit} />
      <Results address={address} search={search} every={every} setEvery={setEvery}
        onView={(v) => setQuery({ sort: v.sort === 'slowest' ? v.sort : '', scale: v.scale === 'linear' ? v.scale : '' })}
        onSearch={submit} link={(form) => linkTo(address, { ...address.form, ...form })} />
    </div>
  );
}

/** The address of a search that is looked at as this one. */
const linkTo = (address: SearchAddress, form: SearchForm): string => href('/search', writeAddress(form, address));
