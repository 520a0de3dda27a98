import { useEffect, useMemo } from 'preact/hooks';
import { getTrace } from '../../api/trace';
import { APIError } from '../../api/http';
import { useAnswer } from '../../api/use-answer';
import { incompleteText } from '../../api/completeness';
import { href } from '../../app/router';
import type { PageProps } from '../../app/routes';
import { IncompleteBanner } from '../../components/banner';
import { Loading, Message } from '../../components/message';
import { mainRoot, nameOf, serviceOf } from '../../model/trace';
import { parseTraceID } from '../../model/ids';
import { analyse } from './analysis';
import { TraceView } from './trace-view';

export default function TracePage({ params }: PageProps) {
  const id = parseTraceID(params.id);
  if (!id) {
    return (
      <Message title="This is not a trace ID">
        <p>A trace ID has 1 to 32 hexadecimal digits.</p>
        <p class="actions"><a class="button" href={href('/search')}>Search for traces</a></p>
      </Message>
    );
  }
  return <KnownTrace key={id} id={id} />;
}

function KnownTrace({ id }: { id: string }) {
  const loaded = useAnswer(id, (signal) => getTrace(id, signal));
  const value = loaded.state === 'loaded' ? loaded.answer.value : null;
  const analysis = useMemo(() => value && analyse(value.traces), [value]);
  useEffect(() => {
    const t = analysis?.t;
    document.title = t && t.count > 0 ? `${serviceOf(t, mainRoot(t))}: ${nameOf(t, mainRoot(t))} · Clew` : `Trace ${id.slice(0, 8)} · Clew`;
    return () => { document.title = 'Clew'; };
  }, [analysis]);

  if (loaded.state === 'loading') return <Loading what="trace" />;
  if (loaded.state === 'failed') return <Failed id={id} error={loaded.error} again={loaded.again} />;
  if (analysis!.t.count === 0) return <Failed id={id} error={new APIError(404, '')} again={loaded.again} />;
  return (
    <>
      <IncompleteBanner of={loaded.answer.incomplete} onRetry={loaded.again} />
      <TraceView id={id} analysis={analysis!} text={value!.text} />
    </>
  );
}

function Failed({ id, error, again }: { id: string; error: APIError; again: () => void }) {
  const actions = (
    <p class="actions">
      <button type="button" class="button primary" onClick={again}>Try again</button>
      <a class="button" href={href('/search')}>Search for traces</a>
    </p>
  );
  if (error.status === 404) {
    return (
      <Message title="No spans of this trace are stored">
        <p class="mono">{id}</p>
        <p>It may not have arrived yet, was not sampled, or is older than what is kept.</p>
        {actions}
      </Message>
    );
  }
  if (error.incomplete) {
    return (
      <Message title="The trace is not in what could be read" tone="error">
        <p>{incompleteText(error.incomplete)} It may exist.</p>
        {actions}
      </Message>
    );
  }
  return (
    <Message title="The trace cannot be read" tone="error">
      <p>{error.message}</p>
      {actions}
    </Message>
  );
}
