import type { PageProps } from '../../app/routes';
import { getServices } from '../../api/catalog';
import { useAnswer } from '../../api/use-answer';
import { IncompleteBanner } from '../../components/banner';
import { Loading, Message } from '../../components/message';
import { ServiceName } from '../../components/service-name';

/** The services that are known. */
export default function SearchPage(_: PageProps) {
  const services = useAnswer('services', getServices);
  if (services.state === 'loading') return <Loading what="services" />;
  if (services.state === 'failed') return <Message title="The services cannot be read" tone="error">{services.error.message}</Message>;
  const { value, incomplete } = services.answer;
  if (value.length === 0) return <Message title="No spans yet">Send some to port 4317 (OTLP over gRPC) or 4318 (OTLP over HTTP).</Message>;
  return (
    <>
      <IncompleteBanner of={incomplete} onRetry={services.again} />
      <ul class="service-list">{value.map((s) => <li key={s}><ServiceName name={s} /></li>)}</ul>
    </>
  );
}
