import type { OTLPLink } from '../../../api/otlp';
import { href } from '../../../app/router';
import { Icon } from '../../../components/icon';
import { nameOf, serviceOf, type Trace } from '../../../model/trace';
import { Attributes } from './attributes';

/** Spans that this one points to, in this trace or in others. */
export function Links({ list, trace: t, onSpan }: { list: OTLPLink[]; trace: Trace; onSpan: (i: number) => void }) {
  return (
    <ul class="links">
      {list.map((l, k) => {
        const here = l.traceId === t.id ? t.spans.findIndex((s) => s.spanId === l.spanId) : -1;
        return (
          <li key={k}>
            {here >= 0
              ? <button type="button" class="text-link" onClick={() => onSpan(here)}><Icon name="link" />{serviceOf(t, here)}: {nameOf(t, here)}</button>
              : <a href={href(`/trace/${l.traceId ?? ''}`, l.spanId ? { span: l.spanId } : {})}><Icon name="link" />{l.traceId === t.id ? 'Span' : 'Trace'} <code>{(l.traceId === t.id ? l.spanId : l.traceId) ?? 'without an ID'}</code></a>}
            {l.attributes && l.attributes.length > 0 && <Attributes list={l.attributes} />}
          </li>
        );
      })}
    </ul>
  );
}
