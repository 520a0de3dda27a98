import { useEffect, useRef } from 'preact/hooks';
import { shortcutGroups } from './keyboard';
import { useStore } from './store';
import { IconButton } from '../components/icon-button';

/** What each key does on the page that is open. */
export function Help({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current!.showModal(), []);
  const groups = useStore(shortcutGroups);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={close}
      onClick={(e) => e.target === dialog.current && dialog.current!.close()}>
      <header class="help-head">
        <h2 id="help-title">Keyboard</h2>
        <IconButton icon="close" label="Close" onClick={() => dialog.current!.close()} />
      </header>
      <div class="help-body">
        {[...groups].sort((a, b) => a.list.length - b.list.length).map((g) => (
          <section key={g.title}>
            <h3>{g.title}</h3>
            <dl>
              {g.list.map((s) => (
                <div key={s.what}>
                  <dt>{s.keys.map((k) => <Keys key={k} keys={k} />)}</dt>
                  <dd>{s.what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}

const names: Record<string, string> = {
  ArrowUp: '↑', ArrowDown: '↓', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc', ' ': 'Space',
  PageUp: 'PgUp', PageDown: 'PgDn',
};

function Keys({ keys }: { keys: string }) {
  return (
    <span class="keys">
      {keys.split(keys === ' ' ? '\0' : ' ').map((k) => (
        <kbd key={k}>{k.startsWith('Shift+') ? k.slice(6) : (names[k] ?? k)}</kbd>
      ))}
    </span>
  );
}
