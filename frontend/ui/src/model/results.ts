import type { TraceSummary } from '../api/summaries';
import type { Sort } from './search-address';

/** An area of the plot: times in nanoseconds since 1970, durations in nanoseconds. */
export interface Area {
  from: bigint;
  to: bigint;
  shortest: number;
  longest: number;
}

export const inArea = (s: TraceSummary, a: Area): boolean =>
  s.start >= a.from && s.start <= a.to && s.duration >= a.shortest && s.duration <= a.longest;

/** The traces of an area (null: all), sorted. Ties are broken by time and ID,
 * so that rows do not jump when the same answer comes again. */
export function arrange(list: TraceSummary[], sort: Sort, area: Area | null): TraceSummary[] {
  const newest = (a: TraceSummary, b: TraceSummary): number =>
    a.start !== b.start ? (a.start < b.start ? 1 : -1) : a.traceId < b.traceId ? -1 : 1;
  const shown = area ? list.filter((s) => inArea(s, area)) : [...list];
  return shown.sort(sort === 'slowest' ? (a, b) => b.duration - a.duration || newest(a, b) : newest);
}

/** Services in the order in which a row shows them: that of the root first,
 * then those with most spans. */
export function servicesOf(s: TraceSummary): TraceSummary['services'] {
  return [...s.services].sort((a, b) =>
    Number(b.name === s.rootService) - Number(a.name === s.rootService) || b.spans - a.spans || (a.name < b.name ? -1 : 1));
}

/** "checkout: POST /order", or what stands for it without a root span. */
export const titleOf = (s: TraceSummary): string => (s.rootService ? `${s.rootService}: ${s.rootOperation || 'no name'}` : 'No root span');
