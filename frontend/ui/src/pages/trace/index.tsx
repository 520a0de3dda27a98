import type { PageProps } from '../../app/routes';
import { getTrace } from '../../api/trace';
import { useAnswer } from '../../api/use-answer';
import { IncompleteBanner } from '../../components/banner';
import { Loading, Message } from '../../components/message';

export default function TracePage({ params }: PageProps) {
  const { id } = params;
  const trace = useAnswer(id, (signal) => getTrace(id, signal));
  if (trace.state === 'loading') return <Loading what="trace" />;
  if (trace.state === 'failed') return <Message title="The trace cannot be read" tone="error">{trace.error.message}</Message>;
  return <IncompleteBanner of={trace.answer.incomplete} onRetry={trace.again} />;
}
