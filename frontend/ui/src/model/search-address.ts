import { parseLookback } from './durations';
import { parseTraceID } from './ids';
import { defaultLookback, emptyForm, type SearchForm } from './search-form';
import { formatTags, parseTags, tagsFromAddress, type Tags } from './tags';

export type Sort = 'newest' | 'slowest';
export type Scale = 'log' | 'linear';

/** Everything that the address of the search page says. Parameters are named
 * as in Jaeger's UI, so that its links open here; sort and scale are our own. */
export interface SearchAddress {
  form: SearchForm;
  /** Traces to list instead of a search. */
  traceIDs: string[];
  /** Spans of theirs to point out, by trace. */
  spans: Record<string, string>;
  sort: Sort;
  scale: Scale;
}

export function readAddress(p: URLSearchParams): SearchAddress {
  const text = (name: string): string => p.get(name)?.trim() ?? '';
  // Older UIs of Jaeger wrote "-" for no service and "all" for any operation.
  const unless = (none: string, v: string): string => (v === none ? '' : v);
  const start = micros(p.get('start'));
  const end = micros(p.get('end'));
  const lookback = text('lookback');
  const fixed = start !== null || end !== null;
  const form: SearchForm = {
    service: unless('-', text('service')),
    operation: unless('all', text('operation')),
    tags: readTags(p),
    minDuration: text('minDuration'),
    maxDuration: text('maxDuration'),
    // Jaeger writes both the choice and the moments it stood for. The moments
    // win: a link is to show what its sender saw.
    lookback: fixed ? 'custom' : unless('custom', lookback) || defaultLookback,
    start, end,
    limit: text('limit') || emptyForm.limit,
  };
  if (fixed && start === null && end !== null && lookback && lookback !== 'custom') {
    form.start = backFrom(end, lookback);
  }
  const { ids, spans } = readTraces(p);
  return {
    form, traceIDs: ids, spans,
    sort: p.get('sort') === 'slowest' ? 'slowest' : 'newest',
    scale: p.get('scale') === 'linear' ? 'linear' : 'log',
  };
}

function micros(s: string | null): number | null {
  if (!s || !/^\d{1,16}$/.test(s)) return null;
  const n = Number(s);
  return n < 9e15 ? n : null;
}

function backFrom(end: number, lookback: string): number | null {
  const back = parseLookback(lookback);
  return back ? end - back * 1000 : null;
}

/** tags={"k":"v"}, or the older tag=k:v any number of times. */
function readTags(p: URLSearchParams): string {
  const old: Tags = {};
  for (const t of p.getAll('tag')) {
    const colon = t.indexOf(':');
    if (colon > 0) old[t.slice(0, colon)] = t.slice(colon + 1);
  }
  return [...p.getAll('tags').map(tagsFromAddress), formatTags(old)].filter(Boolean).join(' ');
}

/** traceID=… any number of times, and span=<spans>@<trace>. */
function readTraces(p: URLSearchParams): { ids: string[]; spans: Record<string, string> } {
  const ids: string[] = [];
  const spans: Record<string, string> = {};
  const add = (text: string): string | null => {
    const id = parseTraceID(text);
    if (id && !ids.includes(id)) ids.push(id);
    return id;
  };
  p.getAll('traceID').forEach(add);
  for (const s of p.getAll('span')) {
    const at = s.lastIndexOf('@');
    const id = at < 0 ? null : add(s.slice(at + 1));
    if (id && at > 0) spans[id] = s.slice(0, at).trim();
  }
  return { ids, spans };
}

/** The parameters of a search; what is not asked is left out. */
export function writeAddress(form: SearchForm, view?: { sort: Sort; scale: Scale }): URLSearchParams {
  const p = new URLSearchParams();
  const put = (name: string, v: string): void => {
    if (v) p.set(name, v);
  };
  put('service', form.service.trim());
  put('operation', form.operation.trim());
  const tags = parseTags(form.tags);
  if ('error' in tags) put('tags', form.tags);
  else if (Object.keys(tags.tags).length > 0) p.set('tags', JSON.stringify(tags.tags));
  put('minDuration', form.minDuration.trim());
  put('maxDuration', form.maxDuration.trim());
  p.set('lookback', form.lookback);
  if (form.lookback === 'custom') {
    if (form.start !== null) p.set('start', String(Math.round(form.start)));
    if (form.end !== null) p.set('end', String(Math.round(form.end)));
  }
  put('limit', form.limit.trim());
  if (view?.sort === 'slowest') p.set('sort', 'slowest');
  if (view?.scale === 'linear') p.set('scale', 'linear');
  return p;
}
