import { getServices } from '../../api/catalog';
import { useAnswer } from '../../api/use-answer';
import { Message } from '../../components/message';
import { lookbackWords, parseLookback } from '../../model/durations';
import { formWords, type SearchForm } from '../../model/search-form';

interface Props {
  form: SearchForm;
  byID: boolean;
  link: (change: Partial<SearchForm>) => string;
  again: () => void;
}

/** Says what was searched for in vain, and what else to try. */
export function NothingFound({ form, byID, link, again }: Props) {
  const services = useAnswer('services', getServices);
  if (services.state === 'loaded' && services.answer.value.length === 0 && !services.answer.incomplete) return <NoSpansYet again={again} />;
  if (byID) return <Message title="No traces found">None of these traces is stored here. Spans take a moment to arrive, and old ones are deleted.</Message>;
  const wider = widerRange(form);
  const other: [string, Partial<SearchForm>][] = [];
  if (wider) other.push([`Search the ${lookbackWords(wider)}`, { lookback: wider, start: null, end: null }]);
  if (form.tags) other.push(['With any tags', { tags: '' }]);
  if (form.minDuration || form.maxDuration) other.push(['Of any duration', { minDuration: '', maxDuration: '' }]);
  if (form.operation) other.push(['Any operation', { operation: '' }]);
  if (form.service) other.push(['All services', { service: '', operation: '' }]);
  return (
    <Message title="No traces found">
      Searched: {formWords(form)}.
      {other.length > 0 && (
        <div class="actions">{other.map(([label, change]) => <a key={label} class="button" href={link(change)}>{label}</a>)}</div>
      )}
    </Message>
  );
}

function widerRange(form: SearchForm): string | null {
  const back = form.lookback === 'custom' ? 0 : (parseLookback(form.lookback) ?? 0);
  const now = Date.now() * 1000;
  if (form.lookback === 'custom' && form.start !== null && form.start < now - 7 * 86400e6) return null;
  return ['24h', '7d'].find((l) => parseLookback(l)! > back) ?? null;
}

function NoSpansYet({ again }: { again: () => void }) {
  return (
    <Message title="No spans yet">
      Send some over OTLP to this host: port 4317 takes gRPC, port 4318 HTTP. An application with an OpenTelemetry SDK needs only
      <pre class="example">OTEL_EXPORTER_OTLP_ENDPOINT=http://{window.location.hostname}:4317</pre>
      and <code>clew load</code> sends the traces of a shop.
      <div class="actions"><button type="button" class="button" onClick={again}>Look again</button></div>
    </Message>
  );
}
