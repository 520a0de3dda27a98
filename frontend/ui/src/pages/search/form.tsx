import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { getOperations, getServices, type Operation } from '../../api/catalog';
import { useAnswer, type Loaded } from '../../api/use-answer';
import { announce } from '../../app/announce';
import { useShortcuts } from '../../app/keyboard';
import { href } from '../../app/router';
import { Combobox } from '../../components/combobox';
import { Field } from '../../components/field';
import { ServiceName } from '../../components/service-name';
import type { Choice } from '../../model/complete';
import { parseTraceID } from '../../model/ids';
import { writeAddress } from '../../model/search-address';
import { checkForm, emptyForm, type FormErrors, type SearchForm } from '../../model/search-form';
import { parseTags, withTag } from '../../model/tags';
import { TimeRange } from './time-range';

interface Props {
  /** As the address says it; a new address replaces what was typed. */
  form: SearchForm;
  onSearch: (form: SearchForm) => void;
}

export function SearchFormPanel({ form, onSearch }: Props) {
  const address = writeAddress(form).toString();
  const [draft, setDraft] = useState(form);
  const [seen, setSeen] = useState(address);
  const [shown, setShown] = useState(false); // errors; not while a field is first typed in
  if (seen !== address) {
    setSeen(address);
    setDraft(form);
    setShown(false);
  }
  const element = useRef<HTMLFormElement>(null);
  const change = (c: Partial<SearchForm>) => setDraft((d) => ({ ...d, ...c }));

  const services = useAnswer('services', getServices);
  const known = services.state === 'loaded' && services.answer.value.includes(draft.service.trim());
  const operations = useAnswer(known ? draft.service.trim() : '', (signal) =>
    known ? getOperations(draft.service.trim(), signal) : Promise.resolve({ value: [], incomplete: null }));

  const serviceChoices = useMemo(() => (services.state === 'loaded' ? services.answer.value.map((value) => ({ value })) : []), [services.state]);
  const operationList = operations.state === 'loaded' ? operations.answer.value : null;
  const operationChoices = useMemo(() => byName(operationList ?? []), [operationList]);

  useShortcuts('Search form', [
    { keys: ['/'], what: 'Write a search', run: () => element.current?.querySelector<HTMLElement>('input')?.focus() },
  ]);
  // An address may hold what cannot be searched for; it is said at once.
  const unfit = useMemo(() => checkForm(form, Date.now()).errors !== null, [address]);
  const errors: FormErrors = (shown || unfit ? checkForm(draft, Date.now()).errors : null) ?? {};
  const wrong = useRef(false);
  useEffect(() => {
    if (wrong.current) element.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
    wrong.current = false;
  });
  const submit = (e: Event) => {
    e.preventDefault();
    const checked = checkForm(draft, Date.now());
    if (!checked.errors) return onSearch(draft);
    announce('The search has a mistake: ' + Object.values(checked.errors)[0]);
    wrong.current = true;
    setShown(true);
    setDraft({ ...draft });
  };
  const tags = parseTags(draft.tags);
  const traceID = /^[0-9a-f]{16,32}$/i.test(draft.tags.trim()) ? parseTraceID(draft.tags) : null;
  return (
    <form class="search-form" ref={element} onSubmit={submit} noValidate aria-label="Search for traces">
      <Field id="service" label="Service" error={errors.service}>
        {(control) => (
          <Combobox control={control} value={draft.service} choices={serviceChoices} empty="All services" note={noteOn(services, 'services')}
            render={(name) => <ServiceName name={name} />} onChange={(service) => change({ service })} />
        )}
      </Field>
      <Field id="operation" label="Operation" error={errors.operation}>
        {(control) => (
          <Combobox control={control} value={draft.operation} choices={operationChoices} empty="All operations"
            note={known ? noteOn(operations, 'operations') : 'Choose a service, and its operations are listed here.'}
            onChange={(operation) => change({ operation })} />
        )}
      </Field>
      <Field id="tags" label="Tags" error={errors.tags}
        hint={traceID && <>This is a trace ID: <a href={href('/trace/' + traceID)}>open the trace</a></>}
        aside={(
          <label class="errors-only">
            <input type="checkbox" disabled={'error' in tags} checked={'tags' in tags && tags.tags.error === 'true'}
              onChange={(e) => change({ tags: withTag(draft.tags, 'error', e.currentTarget.checked ? 'true' : null) })} />
            Errors only
          </label>
        )}>
        {(control) => (
          <input {...control} type="text" value={draft.tags} placeholder={'http.status_code=500 user.id="a b"'} autocomplete="off" spellcheck={false}
            onInput={(e) => change({ tags: e.currentTarget.value })} />
        )}
      </Field>
      <div class="pair">
        <Field id="min-duration" label="Min duration" error={errors.minDuration}>
          {(control) => (
            <input {...control} type="text" value={draft.minDuration} placeholder="100ms" autocomplete="off" spellcheck={false}
              onInput={(e) => change({ minDuration: e.currentTarget.value })} />
          )}
        </Field>
        <Field id="max-duration" label="Max duration" error={errors.maxDuration}>
          {(control) => (
            <input {...control} type="text" value={draft.maxDuration} placeholder="1.2s" autocomplete="off" spellcheck={false}
              onInput={(e) => change({ maxDuration: e.currentTarget.value })} />
          )}
        </Field>
      </div>
      <TimeRange form={draft} errors={errors} change={change} />
      <Field id="limit" label="Limit" error={errors.limit}>
        {(control) => (
          <input {...control} type="text" inputMode="numeric" value={draft.limit} autocomplete="off" onInput={(e) => change({ limit: e.currentTarget.value })} />
        )}
      </Field>
      <div class="search-buttons">
        <button type="submit" class="button primary">Find traces</button>
        <button type="button" class="button" onClick={() => { setDraft(emptyForm); setShown(false); }}>Clear</button>
      </div>
      <p class="search-note">A trace is found if one of its spans fits everything that is asked, its duration included.</p>
    </form>
  );
}

function noteOn(l: Loaded<unknown>, what: string): string | undefined {
  if (l.state === 'loading') return `Loading ${what}…`;
  return l.state === 'failed' ? `The ${what} cannot be listed: ${l.error.message}` : undefined;
}

/** One choice a name, with all kinds that it has. */
function byName(list: Operation[]): Choice[] {
  const kinds = new Map<string, string[]>();
  for (const o of list) kinds.set(o.name, [...(kinds.get(o.name) ?? []), o.spanKind]);
  return [...kinds].map(([value, k]) => ({ value, detail: k.join(', ') }));
}
