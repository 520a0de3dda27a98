import type { ComponentChildren } from 'preact';

/** A part of the details that can be folded. A part without content is only a
 * line that says so. */
export function Section({ title, note, count, children }: { title: string; note?: string; count: number; children: ComponentChildren }) {
  const head = <>{title} <span class="count">{count}</span>{note && <span class="note">{note}</span>}</>;
  if (count === 0) return <div class="section empty"><h3>{head}</h3></div>;
  return (
    <details class="section" open>
      <summary><h3>{head}</h3></summary>
      {children}
    </details>
  );
}
