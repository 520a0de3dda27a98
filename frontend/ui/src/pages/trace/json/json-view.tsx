import { useMemo, useState } from 'preact/hooks';
import { getJaegerTrace } from '../../../api/trace';
import { useAnswer } from '../../../api/use-answer';
import { CopyButton } from '../../../components/copy-button';
import { Icon } from '../../../components/icon';
import { Loading, Message } from '../../../components/message';
import { VirtualList } from '../../../components/virtual-list';
import { formatBytes, plural } from '../../../model/format';
import { traceDocument } from './document';

type Form = 'otlp' | 'jaeger';

/** The trace as the API has it, to read, copy or keep. */
export function JSONView({ id, text }: { id: string; text: string }) {
  const [form, setForm] = useState<Form>('otlp');
  return (
    <div class="json">
      {form === 'otlp' ? <Document id={id} form={form} onForm={setForm} text={text} /> : <Jaeger id={id} onForm={setForm} />}
    </div>
  );
}

function Jaeger({ id, onForm }: { id: string; onForm: (f: Form) => void }) {
  const loaded = useAnswer(id, (signal) => getJaegerTrace(id, signal));
  if (loaded.state === 'loading') return <Loading what="Jaeger's form" />;
  if (loaded.state === 'failed') return <Message title="The trace cannot be read in this form" tone="error">{loaded.error.message}</Message>;
  return <Document id={id} form="jaeger" onForm={onForm} text={loaded.answer.value} />;
}

const lineHeight = 18;

function Document({ id, form, onForm, text }: { id: string; form: Form; onForm: (f: Form) => void; text: string }) {
  const doc = useMemo(() => traceDocument(text, form), [text, form]);
  const lines = useMemo(() => doc.split('\n'), [doc]);
  const save = (): void => {
    const url = URL.createObjectURL(new Blob([doc], { type: 'application/json' }));
    const a = document.createElement('a');
    a.href = url;
    a.download = `trace-${id}.${form}.json`;
    a.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  };
  return (
    <>
      <div class="json-bar">
        <div class="choice" role="group" aria-label="Form">
          <button type="button" aria-pressed={form === 'otlp'} onClick={() => onForm('otlp')}>OTLP</button>
          <button type="button" aria-pressed={form === 'jaeger'} onClick={() => onForm('jaeger')}>Jaeger</button>
        </div>
        <span class="of">{plural(lines.length, 'line')}, {formatBytes(doc.length)}</span>
        <CopyButton what="the document" text={doc} />
        <button type="button" class="button" onClick={save}><Icon name="download" />Download</button>
      </div>
      <VirtualList label="JSON of the trace" class="json-lines" count={lines.length} rowHeight={lineHeight}
        row={(i, top) => <div key={i} class="json-line" style={{ top: `${top}px` }}><Line text={lines[i]} /></div>} />
    </>
  );
}

/** Colours a line of JSON: keys, text, and other values. */
function Line({ text }: { text: string }) {
  const m = /^(\s*)("(?:[^"\\]|\\.)*")(: )?(.*)$/.exec(text);
  if (!m) return <>{text}</>;
  const [, space, first, colon, rest] = m;
  if (!colon) return <>{space}<span class="j-string">{first}</span>{rest}</>;
  const value = /^("(?:[^"\\]|\\.)*"|[\w.+-]+)(,?)$/.exec(rest);
  return (
    <>
      {space}<span class="j-key">{first}</span>{colon}
      {value ? <><span class={value[1][0] === '"' ? 'j-string' : 'j-number'}>{value[1]}</span>{value[2]}</> : rest}
    </>
  );
}
