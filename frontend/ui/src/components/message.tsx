import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { Icon } from './icon';

/** Takes the place of content that is not there: nothing found, an error. */
export function Message({ title, tone, children }: { title: string; tone?: 'error'; children?: ComponentChildren }) {
  return (
    <section class={`message ${tone ?? ''}`} role={tone === 'error' ? 'alert' : undefined}>
      {tone === 'error' && <Icon name="error" />}
      <h1>{title}</h1>
      {children && <div class="message-body">{children}</div>}
    </section>
  );
}

/** Shown only if loading takes long enough to be noticed. */
export function Loading({ what }: { what: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLate(true), 150);
    return () => clearTimeout(timer);
  }, []);
  return <div class="loading" role="status">{late && <><span class="spinner" />Loading {what}…</>}</div>;
}
