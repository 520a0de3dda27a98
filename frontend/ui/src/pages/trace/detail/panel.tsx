import type { ComponentChildren } from 'preact';
import { CopyButton } from '../../../components/copy-button';
import { Icon } from '../../../components/icon';
import { IconButton } from '../../../components/icon-button';
import { ServiceName } from '../../../components/service-name';
import { formatDuration, formatExact, formatShare, formatTimeExact, groupDigits, plural } from '../../../model/format';
import { durationOf, kindOf, nameOf, serviceOf } from '../../../model/trace';
import type { Analysis } from '../analysis';
import { Attributes } from './attributes';
import { Events } from './events';
import { Links } from './links';
import { Section } from './section';

interface Props {
  analysis: Analysis;
  span: number;
  width: number;
  onSpan: (i: number) => void;
  onClose: () => void;
}

/** All that is known of one span. */
export function DetailPanel({ analysis, span: i, width, onSpan, onClose }: Props) {
  const { t, self, path, warnings } = analysis;
  const s = t.spans[i];
  const resource = t.resources[t.resource[i]];
  const scope = t.scopes[t.scope[i]];
  const kind = kindOf(t, i);
  const parent = t.parent[i];
  const duration = durationOf(t, i);
  const start = t.start + BigInt(Math.round(t.begin[i]));
  return (
    <aside class="detail" style={{ width: `${width}px` }} aria-label="Span details">
      <header class="detail-head">
        <div>
          <ServiceName name={serviceOf(t, i)} />
          <h2>{nameOf(t, i)}</h2>
        </div>
        <IconButton icon="close" label="Close the details" onClick={onClose} />
      </header>
      <div class="detail-body" tabIndex={0} role="group" aria-label="Details">
        {t.error[i] === 1 && (
          <p class="callout error"><Icon name="error" /><span><strong>Error</strong>{s.status?.message ? `: ${s.status.message}` : ''}</span></p>
        )}
        {(warnings.bySpan.get(i) ?? []).map((w) => (
          <p key={w.text} class={`callout ${w.tone}`}><Icon name={w.tone === 'warning' ? 'warning' : 'info'} /><span>{w.text}</span></p>
        ))}
        <dl class="detail-facts">
          <Fact name="Duration" title={formatExact(duration)}><strong>{formatDuration(duration)}</strong></Fact>
          <Fact name="Own time" title={formatExact(self[i])}>{formatDuration(self[i])}<Share of={self[i]} in={duration} /></Fact>
          <Fact name="On critical path" title={formatExact(path.time[i])}>{formatDuration(path.time[i])}<Share of={path.time[i]} in={t.duration} what="of the trace" /></Fact>
          <Fact name="Starts at" title={formatTimeExact(start)}>+{formatDuration(t.begin[i])}</Fact>
          <Fact name="Kind">{kind || 'not given'}</Fact>
          <Fact name="Status">{['unset', 'ok', 'error'][s.status?.code ?? 0] ?? String(s.status?.code)}</Fact>
          <Fact name="Parent">
            {parent >= 0
              ? <button type="button" class="text-link" title={`${serviceOf(t, parent)}: ${nameOf(t, parent)}`} onClick={() => onSpan(parent)}>{nameOf(t, parent)}</button>
              : s.parentSpanId ? 'not here' : 'none: a root'}
          </Fact>
          <Fact name="Below it">{t.size[i] > 1 ? `${plural(t.children[i], 'child', 'children')}, ${groupDigits(t.size[i] - 1)} in all` : 'nothing'}</Fact>
          <Fact name="Span ID" wide><code>{s.spanId}</code><CopyButton text={s.spanId} what="span ID" /></Fact>
          {s.traceState && <Fact name="Trace state" wide><code>{s.traceState}</code></Fact>}
        </dl>
        <Section title="Attributes" count={s.attributes?.length ?? 0}>
          <Attributes list={s.attributes ?? []} service={serviceOf(t, i)} />
        </Section>
        <Section title="Events" count={s.events?.length ?? 0}>
          <Events list={s.events ?? []} traceStart={t.start} spanStart={start} />
        </Section>
        <Section title="Links" count={s.links?.length ?? 0}>
          <Links list={s.links ?? []} trace={t} onSpan={onSpan} />
        </Section>
        <Section title="Resource" count={resource.attributes.length}>
          <Attributes list={resource.attributes} service={serviceOf(t, i)} />
          {resource.schemaUrl && <p class="schema">Schema {resource.schemaUrl}</p>}
        </Section>
        {(scope.name || scope.attributes.length > 0) && (
          <Section title="Scope" note={[scope.name, scope.version].filter(Boolean).join(' ')} count={scope.attributes.length}>
            <Attributes list={scope.attributes} service={serviceOf(t, i)} />
            {scope.schemaUrl && <p class="schema">Schema {scope.schemaUrl}</p>}
          </Section>
        )}
      </div>
    </aside>
  );
}

function Fact({ name, title, wide, children }: { name: string; title?: string; wide?: boolean; children: ComponentChildren }) {
  return (
    <div class={wide ? 'wide' : ''}>
      <dt>{name}</dt>
      <dd title={title}>{children}</dd>
    </div>
  );
}

function Share({ of, in: whole, what }: { of: number; in: number; what?: string }) {
  if (!(whole > 0)) return null;
  return <span class="of"> {formatShare(of / whole)}{what ? ' ' + what : ''}</span>;
}
