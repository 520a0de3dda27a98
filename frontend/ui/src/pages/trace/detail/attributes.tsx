import { useState } from 'preact/hooks';
import type { OTLPKeyValue, OTLPValue } from '../../../api/otlp';
import { href } from '../../../app/router';
import { CopyButton } from '../../../components/copy-button';
import { Icon } from '../../../components/icon';
import { sortedByKey, textOf, typeOf } from '../../../model/values';
import { Value } from './value';

/** Beyond this a list begins folded to its first entries. */
const shownAtFirst = 60;

/** Attributes with their types. Each can be copied, and searched for in all
 * traces of the service. */
export function Attributes({ list, service }: { list: OTLPKeyValue[]; service?: string }) {
  const [all, setAll] = useState(false);
  const sorted = sortedByKey(list);
  const shown = all ? sorted : sorted.slice(0, shownAtFirst);
  return (
    <>
      <dl class="attributes">
        {shown.map((a, k) => (
          <div key={`${a.key} ${k}`} class={isLong(a.value) ? 'long' : ''}>
            <dt><Key name={a.key} /></dt>
            <dd>
              <Value value={a.value} />
              <span class="actions">
                <CopyButton what={`value of ${a.key}`} text={() => textOf(a.value)} />
                {service && searchable(a.value) && <FilterBy name={a.key} value={a.value} service={service} />}
              </span>
            </dd>
          </div>
        ))}
      </dl>
      {shown.length < sorted.length && <button type="button" class="text-link more" onClick={() => setAll(true)}>{sorted.length - shown.length} more</button>}
    </>
  );
}

/** A key that may be broken after its dots. */
function Key({ name }: { name: string }) {
  return <>{name.split(/(?<=[./])/).flatMap((part, k) => (k > 0 ? [<wbr key={k} />, part] : [part]))}</>;
}

/** Text such as stack traces gets the whole width. */
function isLong(v: OTLPValue | undefined): boolean {
  const text = v?.stringValue;
  return text !== undefined && (text.length > 140 || text.includes('\n'));
}

const searchable = (v: OTLPValue | undefined): boolean => ['string', 'int', 'double', 'bool'].includes(typeOf(v));

function FilterBy({ name, value, service }: { name: string; value: OTLPValue | undefined; service: string }) {
  const to = href('/search', name === 'service.name' ? { service: textOf(value) } : { service, tags: JSON.stringify({ [name]: textOf(value) }) });
  const label = `Search for traces with this ${name}`;
  return <a class="icon-button" href={to} aria-label={label} title={label}><Icon name="filter" /></a>;
}
