import { useRef } from 'preact/hooks';
import type { Answer, APIError } from '../../api/http';
import { getSummaries, type TraceSummary } from '../../api/summaries';
import { getSummariesByID } from '../../api/summaries-by-id';
import { currentLocation } from '../../app/router';
import { useAnswer } from '../../api/use-answer';
import { writeAddress, type SearchAddress } from '../../model/search-address';
import { checkForm, type SearchForm } from '../../model/search-form';

/** What a search found. */
export interface Found {
  /** Of the search that it answers. */
  key: string;
  form: SearchForm;
  list: TraceSummary[];
  /** Traces asked for by ID that are not stored. */
  missing: string[];
  /** When it was asked, in milliseconds. */
  at: number;
}

export interface Search {
  /** Whether this address can be searched for at all. */
  valid: boolean;
  running: boolean;
  /** The last answer. While another search runs, that of the one before. */
  found: Answer<Found> | null;
  /** Whether found is the answer to this address. */
  current: boolean;
  error: APIError | null;
  again: () => void;
}

// The last answer outlives the page: going back from a trace shows the list as
// it was left, at once, though "the last hour" would be another by now.
let kept: Answer<Found> | null = null;

/** Runs the search of an address; a new one cancels the one before. */
export function useSearch(address: SearchAddress): Search {
  const key = address.traceIDs.length > 0 ? address.traceIDs.join() : writeAddress(address.form).toString();
  const valid = address.traceIDs.length > 0 || checkForm(address.form, Date.now()).errors === null;
  const last = useRef<Answer<Found> | null>(null);
  // What is shown without asking when the page appears; undefined before that.
  const restored = useRef<Answer<Found> | null | undefined>(undefined);
  if (restored.current === undefined) {
    restored.current = currentLocation().walked && kept?.value.key === key ? kept : null;
    last.current = restored.current;
  }

  const answer = useAnswer(valid ? key : '', (signal) => {
    if (!valid) return new Promise<Answer<Found>>(() => {});
    const have = restored.current;
    restored.current = null;
    return have ? Promise.resolve(have) : find(address, key, signal);
  });
  if (answer.state === 'loaded') last.current = kept = answer.answer;
  return {
    valid,
    running: valid && answer.state === 'loading',
    found: last.current,
    current: last.current?.value.key === key,
    error: answer.state === 'failed' ? answer.error : null,
    again: answer.again,
  };
}

async function find(address: SearchAddress, key: string, signal: AbortSignal): Promise<Answer<Found>> {
  const at = Date.now();
  const common = { key, at, form: address.form };
  if (address.traceIDs.length > 0) {
    const { value, incomplete } = await getSummariesByID(address.traceIDs, signal);
    return { value: { ...common, list: value.found, missing: value.missing }, incomplete };
  }
  const { value, incomplete } = await getSummaries(checkForm(address.form, at).query!, signal);
  return { value: { ...common, list: value, missing: [] }, incomplete };
}
