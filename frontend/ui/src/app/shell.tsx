import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { announcement } from './announce';
import { Help } from './help';
import { useShortcuts } from './keyboard';
import { href, navigate, useLocation } from './router';
import { routes } from './routes';
import { useStore } from './store';
import { toggleTheme, useTheme } from './theme';
import { Icon } from '../components/icon';
import { IconButton } from '../components/icon-button';
import { parseTraceID } from '../model/ids';

/** The frame of every page: navigation, trace look-up, theme, help. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { path } = useLocation();
  const theme = useTheme();
  const [help, setHelp] = useState(false);
  useShortcuts('Everywhere', [
    { keys: ['g s'], what: 'Go to search', run: () => navigate(href('/search')) },
    { keys: ['t'], what: 'Light or dark', run: toggleTheme },
    { keys: ['?'], what: 'This help', run: () => setHelp(true) },
  ]);
  return (
    <>
      <a class="skip" href="#main" onClick={toMain}>Skip to content</a>
      <header class="topbar">
        <a class="brand" href={href('/search')} aria-label="Clew: search">
          <Icon name="clew" />
          <span>Clew</span>
        </a>
        <nav aria-label="Main">
          {routes.filter((r) => r.nav).map((r) => (
            <a key={r.pattern} href={href(r.pattern)} aria-current={path === r.pattern ? 'page' : undefined}>{r.nav}</a>
          ))}
        </nav>
        <OpenTrace />
        <IconButton icon={theme === 'dark' ? 'sun' : 'moon'} label={theme === 'dark' ? 'Light theme' : 'Dark theme'} onClick={toggleTheme} />
        <IconButton icon="help" label="Keyboard shortcuts" onClick={() => setHelp(true)} />
      </header>
      <main id="main" tabIndex={-1}>{children}</main>
      {help && <Help close={() => setHelp(false)} />}
      <Announcer />
    </>
  );
}

// A plain "#main" would be resolved against <base>, not the page.
function toMain(e: Event) {
  e.preventDefault();
  document.getElementById('main')!.focus();
}

function Announcer() {
  return <div class="sr-only" role="status">{useStore(announcement)}</div>;
}

function OpenTrace() {
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const submit = (e: Event) => {
    e.preventDefault();
    const id = parseTraceID(text);
    setWrong(!id);
    if (!id) return;
    setText('');
    navigate(href('/trace/' + id));
  };
  return (
    <form class="open-trace" role="search" aria-label="Open a trace" onSubmit={submit}>
      <Icon name="search" />
      <input type="text" value={text} placeholder="Open trace by ID" aria-label="Trace ID" spellcheck={false} autocomplete="off"
        aria-invalid={wrong || undefined} aria-describedby={wrong ? 'open-trace-said' : undefined}
        onInput={(e) => { setText(e.currentTarget.value); setWrong(false); }} />
      {wrong && <p class="open-trace-said" id="open-trace-said" role="alert">A trace ID has 1 to 32 hexadecimal digits.</p>}
    </form>
  );
}
