import { useRef } from 'preact/hooks';

export interface Tab<ID extends string> {
  id: ID;
  label: string;
}

/** A row of tabs; the caller shows the panel, with the id panel-<id>. Arrow keys
 * go from tab to tab. */
export function Tabs<ID extends string>({ label, tabs, value, onChange }: { label: string; tabs: Tab<ID>[]; value: ID; onChange: (id: ID) => void }) {
  const list = useRef<HTMLDivElement>(null);
  const keydown = (e: KeyboardEvent): void => {
    const at = tabs.findIndex((t) => t.id === value);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[e.key];
    if (to === undefined) return;
    e.preventDefault();
    const next = tabs[(to + tabs.length) % tabs.length];
    onChange(next.id);
    list.current!.querySelector<HTMLElement>(`#tab-${next.id}`)?.focus();
  };
  return (
    <div ref={list} class="tabs" role="tablist" aria-label={label} onKeyDown={keydown}>
      {tabs.map((t) => (
        <button key={t.id} id={`tab-${t.id}`} type="button" role="tab" aria-selected={t.id === value} aria-controls={`panel-${t.id}`}
          tabIndex={t.id === value ? 0 : -1} onClick={() => onChange(t.id)}>{t.label}</button>
      ))}
    </div>
  );
}
