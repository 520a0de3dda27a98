import { useState } from 'preact/hooks';
import type { OTLPValue } from '../../../api/otlp';
import { byteLength, hexOf, textOf, typeOf } from '../../../model/values';
import { formatBytes } from '../../../model/format';

/** Longer text begins cut. */
const shortText = 600;

/** A value as its type asks for, and the type. */
export function Value({ value }: { value: OTLPValue | undefined }) {
  const type = typeOf(value);
  const named = type !== 'string' && type !== 'empty';
  const before = type === 'array' || type === 'map'; // of long content the end is far away
  return (
    <span class={`value ${type}`}>
      {before && <span class="type">{type}</span>}
      <Content value={value} />
      {named && !before && <span class="type">{type}</span>}
    </span>
  );
}

function Content({ value }: { value: OTLPValue | undefined }) {
  switch (typeOf(value)) {
    case 'array': {
      const values = value!.arrayValue!.values ?? [];
      return values.length === 0 ? <>[ ]</> : <ol class="items">{values.map((v, k) => <li key={k}><Value value={v} /></li>)}</ol>;
    }
    case 'map': {
      const values = value!.kvlistValue!.values ?? [];
      return values.length === 0 ? <>{'{ }'}</> : (
        <dl class="items">
          {values.map((kv, k) => <div key={k}><dt>{kv.key}</dt><dd><Value value={kv.value} /></dd></div>)}
        </dl>
      );
    }
    case 'bytes': {
      const base64 = value!.bytesValue!;
      return <span title={base64}>{hexOf(base64, 64) || 'no bytes'} <span class="of">{formatBytes(byteLength(base64))}</span></span>;
    }
    case 'empty':
      return <span class="of">no value</span>;
    case 'string':
      return value!.stringValue === '' ? <span class="of">empty text</span> : <Text text={value!.stringValue!} />;
    default:
      return <>{textOf(value)}</>;
  }
}

function Text({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  const shown = all || text.length <= shortText ? text : text.slice(0, shortText) + '… ';
  return (
    <>
      {/^https?:\/\/\S+$/.test(text) ? <a href={text} target="_blank" rel="noopener noreferrer">{shown}</a> : shown}
      {shown.length < text.length && <button type="button" class="text-link" onClick={() => setAll(true)}>all {text.length} characters</button>}
    </>
  );
}
