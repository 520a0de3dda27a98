import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ComponentChildren } from 'preact';
import { complete, type Choice } from '../model/complete';
import type { FieldControl } from './field';
import { IconButton } from './icon-button';
import { Icon } from './icon';

interface Props {
  control: FieldControl;
  value: string;
  choices: Choice[];
  onChange: (value: string) => void;
  /** What the empty value means: "All services". */
  empty: string;
  render?: (value: string) => ComponentChildren;
  /** Said in place of choices: that they are loading, or why there are none. */
  note?: string;
}

// More rows than anybody reads cost time to draw; typing brings the rest.
const most = 200;

/** A text field that completes to one of many choices and takes any text. It
 * follows the combobox pattern of ARIA: the focus stays in the field. */
export function Combobox({ control, value, choices, onChange, empty, render, note }: Props) {
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState(false); // since it was opened
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const listID = control.id + '-list';

  const found = useMemo(() => (typed && value ? complete(choices, value) : [{ value: '' }, ...choices]), [choices, typed && value]);
  const shown = found.slice(0, most);
  useEffect(() => {
    if (open) list.current?.children[active]?.scrollIntoView({ block: 'nearest' });
  }, [open, active]);

  const show = () => {
    if (open) return;
    setOpen(true);
    setTyped(false);
    setActive([{ value: '' }, ...choices].findIndex((c) => c.value === value));
  };
  const hide = () => setOpen(false);
  const pick = (v: string) => {
    onChange(v);
    hide();
  };
  const step = (by: number) => {
    if (!open) return show();
    if (shown.length > 0) setActive(active < 0 && by < 0 ? shown.length - 1 : (active + by + shown.length) % shown.length);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.isComposing) return;
    switch (e.key) {
      case 'ArrowDown': step(1); break;
      case 'ArrowUp': step(-1); break;
      case 'PageDown': if (!open) return; setActive(Math.min(shown.length - 1, active + 8)); break;
      case 'PageUp': if (!open) return; setActive(Math.max(0, active - 8)); break;
      case 'Escape': if (!open) return; hide(); break;
      case 'Enter':
        // With nothing to complete, the form is sent.
        if (!open || !shown[active] || shown[active].value === value) return hide();
        pick(shown[active].value);
        break;
      default: return;
    }
    e.preventDefault();
    e.stopPropagation();
  };
  return (
    <div class="combobox">
      <input {...control} ref={input} type="text" role="combobox" aria-autocomplete="list" aria-expanded={open} aria-controls={listID}
        aria-activedescendant={open && shown[active] ? `${listID}-${active}` : undefined}
        autocomplete="off" spellcheck={false} placeholder={empty} value={value}
        onInput={(e) => { onChange(e.currentTarget.value); setOpen(true); setTyped(true); setActive(e.currentTarget.value ? 0 : -1); }}
        onFocus={(e) => e.currentTarget.select()} onClick={show} onKeyDown={onKeyDown} onBlur={hide} />
      {value
        ? <IconButton icon="close" label={`Clear: ${empty.toLowerCase()}`} onClick={() => { onChange(''); input.current!.focus(); }} />
        : <Icon name="down" />}
      <ul class="combobox-list" id={listID} role="listbox" aria-label={empty} ref={list} hidden={!open}
        // The field would lose the focus before the click arrives.
        onPointerDown={(e) => e.preventDefault()} onMouseDown={(e) => e.preventDefault()}>
        {open && shown.map((c, i) => (
          <li key={c.value + (c.detail ?? '')} id={`${listID}-${i}`} role="option" aria-selected={c.value === value} class={i === active ? 'active' : ''}
            onClick={() => pick(c.value)} onPointerMove={() => i !== active && setActive(i)}>
            <span class="combobox-value">{c.value ? (render?.(c.value) ?? c.value) : empty}</span>
            {c.detail && <span class="combobox-detail">{c.detail}</span>}
          </li>
        ))}
      </ul>
      {open && (found.length > most || note || found.length === 0) && (
        <p class="combobox-note" role="status">
          {note ?? (found.length === 0 ? 'None of the known ones. It is searched for as written.' : `${found.length - most} more: type to find them.`)}
        </p>
      )}
    </div>
  );
}
