import { useMemo } from 'preact/hooks';
import { Field } from '../../components/field';
import { lookbackWords, parseLookback } from '../../model/durations';
import { fromLocalInput, toLocalInput, zoneName } from '../../model/local-time';
import { timeRange, type FormErrors, type SearchForm } from '../../model/search-form';

const lookbacks = ['5m', '15m', '30m', '1h', '3h', '6h', '12h', '24h', '2d', '7d'];

interface Props {
  form: SearchForm;
  errors: FormErrors;
  change: (c: Partial<SearchForm>) => void;
}

/** A time range: so far back from now, or from one moment to another. */
export function TimeRange({ form, errors, change }: Props) {
  const zone = useMemo(() => zoneName(), []);
  const custom = form.lookback === 'custom';
  const known = custom || lookbacks.includes(form.lookback);
  const choose = (lookback: string) => {
    if (lookback !== 'custom') return change({ lookback, start: null, end: null });
    // The range so far, in whole seconds as the fields show them.
    const now = Math.ceil(Date.now() / 1000) * 1000;
    const range = timeRange(form, now);
    change({ lookback, start: range && Math.floor(range.from / 1e6) * 1e6, end: range && range.to });
  };
  return (
    <>
      <Field id="lookback" label="Time range" error={errors.lookback}>
        {(control) => (
          <select {...control} value={form.lookback} onChange={(e) => choose(e.currentTarget.value)}>
            {!known && <option value={form.lookback}>{parseLookback(form.lookback) ? upper(lookbackWords(form.lookback)) : form.lookback}</option>}
            {lookbacks.map((l) => <option key={l} value={l}>{upper(lookbackWords(l))}</option>)}
            <option value="custom">Custom range</option>
          </select>
        )}
      </Field>
      {custom && (
        <div class="moments">
          <Moment id="start" label="From" value={form.start} error={errors.start} onChange={(start) => change({ start })} />
          <Moment id="end" label="To" value={form.end} error={errors.end} hint={form.end === null ? 'Now, as it is empty.' : undefined} onChange={(end) => change({ end })} />
          <p class="field-said">Local time: {zone}</p>
        </div>
      )}
    </>
  );
}

const upper = (s: string): string => s[0].toUpperCase() + s.slice(1);

interface MomentProps {
  id: string;
  label: string;
  value: number | null;
  error?: string;
  hint?: string;
  onChange: (micros: number | null) => void;
}

function Moment({ id, label, value, error, hint, onChange }: MomentProps) {
  return (
    <Field id={id} label={label} error={error} hint={hint}>
      {(control) => (
        <input {...control} type="datetime-local" step="1" value={value === null ? '' : toLocalInput(value)}
          onInput={(e) => onChange(fromLocalInput(e.currentTarget.value))} />
      )}
    </Field>
  );
}
