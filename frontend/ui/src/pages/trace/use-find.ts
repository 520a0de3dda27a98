import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { announce } from '../../app/announce';
import { setQuery } from '../../app/router';
import { Finder, parseQuery } from '../../model/find';
import { plural } from '../../model/format';
import type { Trace } from '../../model/trace';

export interface Find {
  text: string;
  setText: (text: string) => void;
  /** Spans that match, in order. */
  found: number[];
  /** The same for look-up; null while nothing is looked for. */
  marked: Uint8Array | null;
  /** Still looking. */
  busy: boolean;
}

/** Finds in the trace while the text is typed, in slices that leave the browser
 * time for everything else. The address keeps the text as uiFind, so that the
 * page can be shared; the name is that of Jaeger's links. */
export function useFind(t: Trace, initial: string): Find {
  const finder = useMemo(() => new Finder(t), [t]);
  const [text, setText] = useState(initial);
  const [result, setResult] = useState<{ text: string; found: number[] }>({ text: '', found: [] });
  const first = useRef(true);

  useEffect(() => {
    const query = parseQuery(text);
    if (!query) {
      setResult({ text, found: [] });
    } else {
      const run = finder.run(query);
      let timer = 0;
      const slice = (): void => {
        const until = performance.now() + 8;
        for (;;) {
          const step = run.next();
          if (step.done) {
            setResult({ text, found: step.value });
            announce(`${plural(step.value.length, 'span')} found`);
            return;
          }
          if (performance.now() > until) break;
        }
        timer = window.setTimeout(slice);
      };
      timer = window.setTimeout(slice, first.current ? 0 : 60);
      return () => clearTimeout(timer);
    }
    return undefined;
  }, [text, finder]);

  useEffect(() => {
    if (first.current) {
      first.current = false;
      return undefined;
    }
    const timer = setTimeout(() => setQuery({ uiFind: text.trim() }), 400);
    return () => clearTimeout(timer);
  }, [text]);

  const looking = parseQuery(text) !== null;
  const marked = useMemo(() => {
    if (!looking) return null;
    const m = new Uint8Array(t.count);
    for (const i of result.found) m[i] = 1;
    return m;
  }, [result, looking, t]);
  return { text, setText, found: result.found, marked, busy: looking && result.text !== text };
}
