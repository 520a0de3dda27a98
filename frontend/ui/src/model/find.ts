import { isSpanID } from './ids';
import { kindOf, nameOf, serviceOf, type Trace } from './trace';
import { textOf } from './values';
import type { OTLPKeyValue } from '../api/otlp';

/** What is looked for: span IDs, any of which will do, or words that must all
 * be there. */
export type Query = { ids: Set<string> } | { words: string[] };

/** Reads the find field. Words in double quotes stay together; key="value" is
 * the whole value, key=value its beginning. A list of span IDs, as links from
 * search pages have it, finds each of them. */
export function parseQuery(text: string): Query | null {
  const words: string[] = [];
  for (const [word] of text.toLowerCase().matchAll(/(?:[^\s"]|"[^"]*"?)+/g)) {
    const whole = /^[^"]+="[^"]*"$/.test(word);
    const plain = word.replaceAll('"', '');
    if (plain) words.push(whole ? `\n${plain}\n` : plain);
  }
  if (words.length === 0) return null;
  return words.every(isSpanID) ? { ids: new Set(words) } : { words };
}

/** The text that finds exactly the spans with this value. */
export const pairQuery = (key: string, value: string): string => `${key}="${value.replaceAll('"', '')}"`;

/** One searchable thing a line, with an end to each line, the first too. */
const lines = (parts: string[]): string => `\n${parts.join('\n')}\n`.toLowerCase();

/** Finds in a trace. What a span can be found by is put together once, when it
 * is first wanted. */
export class Finder {
  private readonly texts: (string | undefined)[];
  private readonly resources: string[];
  private readonly scopes: string[];

  constructor(private readonly t: Trace) {
    this.texts = new Array<string | undefined>(t.count);
    this.resources = t.resources.map((r) => lines(pairs(r.attributes)));
    this.scopes = t.scopes.map((s) => lines([s.name, s.version, ...pairs(s.attributes)]));
  }

  /** The spans that match, in order. It yields now and then, so that the caller
   * can let the browser work, and stops when the caller stops asking. */
  *run(q: Query): Generator<void, number[]> {
    const found: number[] = [];
    for (let i = 0; i < this.t.count; i++) {
      if (this.matches(i, q)) found.push(i);
      if (i % 256 === 255) yield;
    }
    return found;
  }

  private matches(i: number, q: Query): boolean {
    if ('ids' in q) return q.ids.has(this.t.spans[i].spanId);
    const text = (this.texts[i] ??= this.textOf(i));
    const resource = this.resources[this.t.resource[i]];
    const scope = this.scopes[this.t.scope[i]];
    return q.words.every((w) => text.includes(w) || resource.includes(w) || scope.includes(w));
  }

  private textOf(i: number): string {
    const s = this.t.spans[i];
    const kind = kindOf(this.t, i);
    const parts = [serviceOf(this.t, i), nameOf(this.t, i), s.spanId, s.parentSpanId ?? '', kind && `kind=${kind}`];
    if (s.status?.code === 2) parts.push('error=true', 'status=error');
    if (s.status?.message) parts.push(s.status.message);
    if (s.traceState) parts.push(s.traceState);
    parts.push(...pairs(s.attributes));
    for (const e of s.events ?? []) parts.push(e.name ?? '', ...pairs(e.attributes));
    for (const l of s.links ?? []) parts.push(l.traceId ?? '', l.spanId ?? '', ...pairs(l.attributes));
    return lines(parts);
  }
}

/** "key=value", so that the words for a search find the same here. */
const pairs = (list: OTLPKeyValue[] | undefined): string[] => (list ?? []).map((a) => `${a.key}=${textOf(a.value)}`);
