import type { SummaryQuery } from '../api/summaries';
import { apiDuration, lookbackWords, parseDuration, parseLookback } from './durations';
import { formatTime } from './format';
import { parseTags } from './tags';

/** A search as it is written in the form and in the address: text, right or
 * wrong, except for moments. */
export interface SearchForm {
  service: string;
  operation: string;
  /** In logfmt. */
  tags: string;
  minDuration: string;
  maxDuration: string;
  /** "1h": relative to now; "custom": start and end. */
  lookback: string;
  /** Microseconds since 1970; null: open. */
  start: number | null;
  end: number | null;
  limit: string;
}

export const defaultLookback = '1h';

export const emptyForm: SearchForm = {
  service: '', operation: '', tags: '', minDuration: '', maxDuration: '',
  lookback: defaultLookback, start: null, end: null, limit: '100',
};

/** What is wrong, by the field that it belongs to. */
export type FormErrors = Partial<Record<keyof SearchForm, string>>;

export type Checked = { errors: FormErrors; query: null } | { errors: null; query: SummaryQuery };

/** Checks a form and says what to ask the API; now is in milliseconds. */
export function checkForm(f: SearchForm, now: number): Checked {
  const errors: FormErrors = {};
  const tags = parseTags(f.tags);
  if ('error' in tags) errors.tags = tags.error;

  const min = checkDuration(f.minDuration);
  const max = checkDuration(f.maxDuration);
  if (min === null) errors.minDuration = durationHelp(f.minDuration);
  if (max === null) errors.maxDuration = durationHelp(f.maxDuration);
  if (min && max && max < min) errors.maxDuration = 'This is less than the minimum.';

  const limit = Number(f.limit.trim());
  if (!/^\d{1,9}$/.test(f.limit.trim()) || limit < 1) errors.limit = 'Write a whole number from 1.';

  const range = timeRange(f, now);
  if (!range) errors.lookback = `“${f.lookback}” is no time range: choose one from the list.`;
  else if (range.from > now * 1000 + 60e6) errors.start = 'This is in the future.';
  else if (range.from >= range.to) errors.end = 'The end is not after the start.';

  if ('error' in tags || !range || Object.keys(errors).length > 0) return { errors, query: null };
  return {
    errors: null,
    query: {
      service: f.service.trim(),
      operation: f.operation.trim(),
      attributes: tags.tags,
      // The API takes milliseconds, and counts the last one whole.
      startMin: Math.floor(range.from / 1000),
      startMax: Math.floor(range.to / 1000),
      durationMin: min ? apiDuration(f.minDuration) : '',
      durationMax: max ? apiDuration(f.maxDuration) : '',
      limit,
    },
  };
}

/** Nanoseconds; undefined if nothing is asked, null if it cannot be read. */
const checkDuration = (text: string): number | null | undefined => (text.trim() ? parseDuration(text) : undefined);

const durationHelp = (text: string): string =>
  /^[\d.\s]+$/.test(text) ? `Add a unit: ${text.trim()}ms or ${text.trim()}s.` : 'Write a duration such as 1.2s, 100ms or 500us.';

/** The time that a form speaks of, in microseconds; null if it is no time. */
export function timeRange(f: SearchForm, now: number): { from: number; to: number } | null {
  if (f.lookback !== 'custom') {
    const back = parseLookback(f.lookback);
    return back === null ? null : { from: (now - back) * 1000, to: now * 1000 };
  }
  const to = f.end ?? now * 1000;
  return { from: f.start ?? to - parseLookback(defaultLookback)! * 1000, to };
}

/** What was searched, in words: "service cart, error=true, last hour". */
export function formWords(f: SearchForm): string {
  const parts: string[] = [];
  parts.push(f.service ? `service ${f.service}` : 'all services');
  if (f.operation) parts.push(`operation ${f.operation}`);
  if (f.tags.trim()) parts.push(f.tags.trim());
  if (f.minDuration) parts.push(`at least ${f.minDuration}`);
  if (f.maxDuration) parts.push(`at most ${f.maxDuration}`);
  parts.push(rangeWords(f));
  return parts.join(', ');
}

export function rangeWords(f: SearchForm): string {
  if (f.lookback !== 'custom') return lookbackWords(f.lookback);
  const at = (micros: number): string => formatTime(BigInt(Math.round(micros)) * 1000n).slice(0, 19);
  if (f.start === null) return f.end === null ? 'last hour' : `hour before ${at(f.end)}`;
  return `${at(f.start)} to ${f.end === null ? 'now' : at(f.end)}`;
}
