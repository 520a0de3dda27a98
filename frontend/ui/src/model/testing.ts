import type { OTLPSpan, OTLPTraces } from '../api/otlp';

/** A span for tests: [name, parent's name or '', begin, end], in nanoseconds
 * after the start. Its ID is made of its name. */
export type Row = [name: string, parent: string, begin: number, end: number, more?: Partial<OTLPSpan>];

export const testStart = 1_700_000_000_000_000_000n;

const idOf = (name: string): string => [...name].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join('').padStart(16, '0').slice(-16);

/** A trace of one service, or of several: their names before a slash. */
export function testTraces(rows: Row[]): OTLPTraces {
  const by = new Map<string, OTLPSpan[]>();
  for (const [name, parent, begin, end, more] of rows) {
    const service = name.includes('/') ? name.split('/')[0] : 'app';
    const list = by.get(service) ?? [];
    by.set(service, list);
    list.push({
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: idOf(name),
      parentSpanId: parent ? idOf(parent) : '',
      name,
      startTimeUnixNano: String(testStart + BigInt(begin)),
      endTimeUnixNano: String(testStart + BigInt(end)),
      ...more,
    });
  }
  return {
    resourceSpans: [...by].map(([service, spans]) => ({
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      scopeSpans: [{ scope: { name: 'test' }, spans }],
    })),
  };
}

/** Numbers that look random and are the same in every run. */
export function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
    return s / 2 ** 32;
  };
}
