import { useEffect, useState } from 'preact/hooks';
import { APIError, type Answer } from './http';

export type Loaded<T> =
  | { state: 'loading' }
  | { state: 'failed'; error: APIError }
  | { state: 'loaded'; answer: Answer<T> };

/** Runs a request when the component appears and whenever key changes, and
 * cancels it when it is no longer wanted. */
export function useAnswer<T>(key: string, get: (signal: AbortSignal) => Promise<Answer<T>>): Loaded<T> & { again: () => void } {
  const [attempt, setAttempt] = useState(0);
  const [result, setResult] = useState<{ key: string; loaded: Loaded<T> } | null>(null);
  const wanted = `${attempt} ${key}`;
  useEffect(() => {
    const abort = new AbortController();
    get(abort.signal).then(
      (answer) => setResult({ key: wanted, loaded: { state: 'loaded', answer } }),
      (err: unknown) => {
        if (abort.signal.aborted) return;
        const error = err instanceof APIError ? err : new APIError(0, `The page could not read the answer: ${String(err)}`);
        setResult({ key: wanted, loaded: { state: 'failed', error } });
      },
    );
    return () => abort.abort();
  }, [wanted]);
  const loaded: Loaded<T> = result?.key === wanted ? result.loaded : { state: 'loading' };
  return { ...loaded, again: () => setAttempt(attempt + 1) };
}
