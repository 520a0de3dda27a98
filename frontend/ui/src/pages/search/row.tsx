import type { TraceSummary } from '../../api/summaries';
import { href } from '../../app/router';
import { serviceColor } from '../../app/service-colors';
import { Icon } from '../../components/icon';
import { formatAgo, formatDuration, formatTime, groupDigits, plural } from '../../model/format';
import { servicesOf } from '../../model/results';

interface Props {
  trace: TraceSummary;
  slowest: number;
  now: number;
  /** A span to point out when it is opened. */
  span?: string;
  pointed: boolean;
  onPoint: (id: string | null) => void;
  onOpen: () => void;
}

const mostChips = 8;

/** One trace. The whole row is a link, so that it opens in tabs as links do. */
export function TraceRow({ trace: t, slowest, now, span, pointed, onPoint, onOpen }: Props) {
  const services = servicesOf(t);
  const time = formatTime(t.start);
  return (
    <li>
      <a class={`trace-row ${pointed ? 'pointed' : ''}`} data-trace={t.traceId} href={href('/trace/' + t.traceId, span ? { uiFind: span } : undefined)}
        onClick={onOpen} onPointerEnter={() => onPoint(t.traceId)} onPointerLeave={() => onPoint(null)} onFocus={() => onPoint(t.traceId)} onBlur={() => onPoint(null)}>
        <span class="trace-what">
          <span class="trace-headline">
            {t.rootService
              ? <><span class="trace-root">{t.rootService}</span><span class="sr-only">: </span><span class="trace-operation">{t.rootOperation || 'no name'}</span></>
              : <span class="trace-root none">No root span</span>}
            {t.errors > 0 && <span class="badge error"><Icon name="error" />{plural(t.errors, 'error')}</span>}
            {t.orphans > 0 && <span class="badge warn" title="Spans whose parent is not stored, or has not arrived yet"><Icon name="warning" />{plural(t.orphans, 'orphan')}</span>}
          </span>
          <span class="chips">
            {services.slice(0, mostChips).map((s) => (
              <span class={`chip ${s.errors ? 'error' : ''}`} key={s.name} title={s.errors ? `${s.name}: ${plural(s.spans, 'span')}, ${plural(s.errors, 'error')}` : `${s.name}: ${plural(s.spans, 'span')}`}>
                <span class="swatch" style={{ background: serviceColor(s.name) }} />{s.name}<b>{groupDigits(s.spans)}</b>{s.errors > 0 && <Icon name="error" />}
              </span>
            ))}
            {services.length > mostChips && <span class="chip more" title={services.slice(mostChips).map((s) => s.name).join(', ')}>{services.length - mostChips} more</span>}
          </span>
        </span>
        <span class="trace-spans">{groupDigits(t.spans)}<span class="unit"> {t.spans === 1 ? 'span' : 'spans'}</span></span>
        <span class="trace-duration">
          {formatDuration(t.duration)}
          <span class="duration-bar"><span style={{ width: `${Math.max(0.6, (100 * t.duration) / slowest)}%` }} /></span>
        </span>
        <span class="trace-start" title={time}>
          {formatAgo(t.start, now)}
          <span class="clock">{time.slice(11)}</span>
        </span>
      </a>
    </li>
  );
}
