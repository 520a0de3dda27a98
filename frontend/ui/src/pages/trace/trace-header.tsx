import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { CopyButton } from '../../components/copy-button';
import { Icon } from '../../components/icon';
import { ServiceName } from '../../components/service-name';
import { formatAgo, formatDuration, formatTime, formatTimeExact, groupDigits, plural } from '../../model/format';
import { mainRoot, nameOf, serviceOf } from '../../model/trace';
import { countWarned } from '../../model/warnings';
import type { Analysis } from './analysis';

/** What the trace is, in one glance. */
export function TraceHeader({ id, analysis, onErrors, onWarnings }: { id: string; analysis: Analysis; onErrors: () => void; onWarnings: () => void }) {
  const { t, warnings } = analysis;
  const warned = countWarned(warnings);
  const root = mainRoot(t);
  return (
    <header class="trace-head">
      <div class="trace-title">
        <h1>
          <ServiceName name={serviceOf(t, root)} />
          <span class="trace-name">{nameOf(t, root)}</span>
        </h1>
        <span class="trace-id">
          <code>{id}</code>
          <CopyButton text={id} what="trace ID" />
        </span>
      </div>
      <dl class="facts">
        <Fact name="Duration"><strong>{formatDuration(t.duration)}</strong></Fact>
        <Fact name="Start"><time title={formatTimeExact(t.start)}>{formatTime(t.start)}</time> <span class="ago">{formatAgo(t.start)}</span></Fact>
        <Fact name="Spans">{groupDigits(t.count)}</Fact>
        <Fact name="Services">{groupDigits(t.services.length)}</Fact>
        <Fact name="Depth">{groupDigits(t.levels)}</Fact>
        <Fact name="Errors">
          {t.errors > 0
            ? <button type="button" class="fact-link error" title="Find them" onClick={onErrors}><Icon name="error" />{groupDigits(t.errors)}</button>
            : '0'}
        </Fact>
        {(warned > 0 || warnings.trace.length > 0) && (
          <Fact name="Warnings">
            <button type="button" class="fact-link warn" title="Show them" onClick={onWarnings}><Icon name="warning" />{groupDigits(warned + warnings.trace.length)}</button>
          </Fact>
        )}
      </dl>
    </header>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** At first this many spans with warnings are listed. */
const listed = 8;

/** What is odd about the trace; each line leads to its span. */
export function WarningList({ analysis, onSpan }: { analysis: Analysis; onSpan: (i: number) => void }) {
  const { t, warnings } = analysis;
  const [all, setAll] = useState(false);
  const spans = [...warnings.bySpan].filter(([, list]) => list.some((w) => w.tone === 'warning')).sort(([a], [b]) => a - b);
  const shown = all ? spans : spans.slice(0, listed);
  return (
    <section class="warning-list" aria-label="Warnings">
      <ul>
        {warnings.trace.map((w) => <li key={w.text}><Icon name="warning" /><span>{w.text}</span></li>)}
        {shown.map(([i, list]) => (
          <li key={i}>
            <Icon name="warning" />
            <span>
              <button type="button" class="text-link" onClick={() => onSpan(i)}>{serviceOf(t, i)}: {nameOf(t, i)}</button>{' '}
              {list.filter((w) => w.tone === 'warning').map((w) => w.text).join(' ')}
            </span>
          </li>
        ))}
      </ul>
      {shown.length < spans.length && (
        <button type="button" class="text-link" onClick={() => setAll(true)}>{plural(spans.length - shown.length, 'more span')} with warnings</button>
      )}
    </section>
  );
}
