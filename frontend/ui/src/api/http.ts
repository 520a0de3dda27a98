import { apiURL } from '../app/router';
import { parseCompleteness, type Completeness } from './completeness';

/** An answer of the API, and what is missing from it. */
export interface Answer<T> {
  value: T;
  /** null: nothing is missing. */
  incomplete: Completeness | null;
}

/** What went wrong with a request, in words for the page. */
export class APIError extends Error {
  constructor(
    /** HTTP status; 0 if there was no answer. */
    readonly status: number,
    message: string,
    readonly incomplete: Completeness | null = null,
  ) {
    super(message);
  }
}

/** Gets a route ("api/v3/services") as text. Throws APIError, or the signal's
 * reason if it is aborted. */
export async function getText(route: string, params: Record<string, string> | string[][], signal?: AbortSignal): Promise<Answer<string>> {
  const url = apiURL(route);
  url.search = new URLSearchParams(params).toString();
  let res: Response;
  let body: string;
  try {
    res = await fetch(url, { signal, headers: { Accept: 'application/json' } });
    body = await res.text();
  } catch (err) {
    if (signal?.aborted) throw err;
    throw new APIError(0, 'The server did not answer.');
  }
  const incomplete = parseCompleteness(res.headers.get('Clew-Completeness'));
  if (!res.ok) throw new APIError(res.status, errorText(body) || `${res.status} ${res.statusText}`, incomplete);
  return { value: body, incomplete };
}

/** Gets a route as JSON; the caller says what it holds. */
export async function getJSON<T>(route: string, params: Record<string, string>, signal?: AbortSignal): Promise<Answer<T>> {
  const { value, incomplete } = await getText(route, params, signal);
  return { value: parseJSON<T>(value), incomplete };
}

export function parseJSON<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new APIError(0, 'The answer is not the JSON of this API: is a proxy or a login page in between?');
  }
}

/** The message in an error of the v3 API, of the older one, or in plain text. */
function errorText(body: string): string {
  try {
    const e = JSON.parse(body) as { error?: { message?: string }; errors?: { msg?: string }[] };
    return e.error?.message ?? e.errors?.[0]?.msg ?? '';
  } catch {
    return body.length < 500 && !body.includes('<') ? body.trim() : '';
  }
}
