import type { OTLPEvent } from '../../../api/otlp';
import { formatDuration, formatTimeExact, plural } from '../../../model/format';
import { Attributes } from './attributes';

/** What happened during the span, with times since its start. */
export function Events({ list, traceStart, spanStart }: { list: OTLPEvent[]; traceStart: bigint; spanStart: bigint }) {
  const sorted = [...list].sort((a, b) => Number(BigInt(a.timeUnixNano ?? 0) - BigInt(b.timeUnixNano ?? 0)));
  return (
    <ol class="events">
      {sorted.map((e, k) => {
        const at = BigInt(e.timeUnixNano ?? 0);
        const since = Number(at - spanStart);
        return (
          <li key={k} class={e.name === 'exception' ? 'exception' : ''}>
            <p class="event-head">
              <span class="event-time" title={`${formatTimeExact(at)}, ${formatDuration(Number(at - traceStart))} after the start of the trace`}>
                {since < 0 ? formatDuration(since) : '+' + formatDuration(since)}
              </span>
              <strong>{e.name || '(no name)'}</strong>
            </p>
            {e.attributes && e.attributes.length > 0 && <Attributes list={e.attributes} />}
            {!!e.droppedAttributesCount && <p class="of">{plural(e.droppedAttributesCount, 'attribute')} dropped</p>}
          </li>
        );
      })}
    </ol>
  );
}
