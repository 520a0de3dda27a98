import { useEffect, useRef } from 'preact/hooks';
import { createStore } from './store';

export interface Shortcut {
  /** KeyboardEvent.key values, any of which will do; "Shift+N" and "g s" (one
   * after the other) are understood. */
  keys: string[];
  what: string;
  run: (key: string) => void;
  /** Whether it is in force now; always, if not given. */
  when?: () => boolean;
}

export interface ShortcutGroup {
  title: string;
  list: Shortcut[];
}

/** The groups that are in force, for the help. They share no keys. */
export const shortcutGroups = createStore<ShortcutGroup[]>([]);

/** Puts shortcuts in force while the component is shown. A key may be in one
 * group only, since groups come into force in no order. */
export function useShortcuts(title: string, list: Shortcut[]): void {
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => {
    const group: ShortcutGroup = {
      title,
      get list() {
        return latest.current;
      },
    };
    shortcutGroups.set([...shortcutGroups.get(), group]);
    return () => shortcutGroups.set(shortcutGroups.get().filter((g) => g !== group));
  }, [title]);
}

/** Whether keys belong to what has the focus: text is being typed there. */
function takesText(el: EventTarget | null): boolean {
  if (!(el instanceof HTMLElement)) return false;
  if (el.isContentEditable || el instanceof HTMLTextAreaElement || el instanceof HTMLSelectElement) return true;
  return el instanceof HTMLInputElement && !/^(checkbox|radio|range|button|submit)$/.test(el.type);
}

/** Whether a key already means something where the focus is. */
const pressesButton = (e: KeyboardEvent): boolean =>
  (e.key === 'Enter' || e.key === ' ') && e.target instanceof Element && e.target.closest('button, a, summary, [role=slider]') !== null;

let first = ''; // of two keys in a row
let firstAt = 0;

document.addEventListener('keydown', (e) => {
  if (e.defaultPrevented || e.ctrlKey || e.metaKey || e.altKey || e.isComposing) return;
  if (takesText(e.target) || pressesButton(e) || document.querySelector('dialog[open]')) return;
  const key = e.shiftKey && e.key.length === 1 && e.key !== e.key.toLowerCase() ? 'Shift+' + e.key : e.key;
  const pair = Date.now() - firstAt < 1000 ? first + ' ' + key : '';
  const groups = shortcutGroups.get();
  for (let i = groups.length - 1; i >= 0; i--) {
    const hit = groups[i].list.find((s) => (s.keys.includes(key) || (pair && s.keys.includes(pair))) && (s.when?.() ?? true));
    if (hit) {
      e.preventDefault();
      first = '';
      hit.run(key);
      return;
    }
  }
  first = key;
  firstAt = Date.now();
});
